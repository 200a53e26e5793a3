//! Tests of the reader, with whole, odd and damaged files.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Checkpoint, Found, Reader, WrongFile};
use crate::scan::{Filter, Place, find_clips};

const GUILD: &str = "1200000000000000000";
const CHANNEL: &str = "1200000000000000001";
const PLACE: Place<'_> = Place {
    guild_id: GUILD,
    channel_id: CHANNEL,
    parent_id: None,
};

fn message(n: u64) -> Value {
    let id = 1_456_074_443_980_800_000 + (n << 22);
    json!({
        "id": id.to_string(),
        "type": "Default",
        "timestamp": "2026-01-01T00:00:00.000+00:00",
        "timestampEdited": null,
        "isPinned": false,
        "content": format!("say \"hi\" {{[{n}]}} \\ 你好"),
        "author": { "id": "1100000000000000009", "name": "anna", "nickname": "Anna", "isBot": false, "roles": [] },
        "attachments": [{
            "id": (id + 4096).to_string(),
            "url": "https://cdn.discordapp.com/attachments/1/2/clip.mp4?ex=1",
            "fileName": format!("clip_{n}.mp4"),
            "fileSizeBytes": 1000 + n,
        }],
        "embeds": [],
        "stickers": [],
        "reactions": [{ "emoji": {}, "count": 2, "users": [] }],
        "mentions": [],
    })
}

fn export(messages: &[Value]) -> Value {
    json!({
        "guild": { "id": GUILD, "name": "A [guild]", "iconUrl": "" },
        "channel": { "id": CHANNEL, "type": "GuildTextChat", "name": "clips", "topic": "{" },
        "dateRange": { "after": null, "before": null },
        "exportedAt": "2026-01-02T00:00:00+00:00",
        "messages": messages,
        "messageCount": messages.len(),
    })
}

/// The names of the clips in a file that comes in pieces of this length.
fn read_from(text: &[u8], start: Checkpoint, length: usize) -> Result<Vec<String>, WrongFile> {
    let mut reader = Reader::at(start.clone());
    let mut names = Vec::new();
    for mut piece in text[start.offset as usize..].chunks(length) {
        while !piece.is_empty() {
            let (used, found) = reader.read(piece)?;
            piece = &piece[used..];
            if let Some(Found::Message(message)) = found {
                let clips = find_clips(PLACE, &message, &Filter::default());
                names.extend(clips.into_iter().filter_map(|clip| clip.filename));
            }
        }
    }
    reader.finish()?;
    Ok(names)
}

fn read(text: &[u8], length: usize) -> Result<Vec<String>, WrongFile> {
    read_from(text, Checkpoint::default(), length)
}

fn expected(n: u64) -> Vec<String> {
    (0..n).map(|n| format!("clip_{n}.mp4")).collect()
}

#[test]
fn every_message_is_found_whatever_the_pieces_are() {
    let messages: Vec<Value> = (0..5).map(message).collect();
    let export = export(&messages);
    let pretty = serde_json::to_string_pretty(&export).unwrap();
    for text in [
        export.to_string(),
        pretty.clone(),
        format!("\u{feff}{pretty}"),
    ] {
        for length in [1, 2, 7, 100, 1 << 20] {
            assert_eq!(read(text.as_bytes(), length), Ok(expected(5)), "{length}");
        }
    }
}

#[test]
fn a_reader_continues_after_any_message_of_another() {
    let messages: Vec<Value> = (0..4).map(message).collect();
    let text = export(&messages).to_string();
    let mut reader = Reader::at(Checkpoint::default());
    let (mut rest, mut n) = (text.as_bytes(), 0);
    while !rest.is_empty() {
        let (used, found) = reader.read(rest).unwrap();
        rest = &rest[used..];
        n += usize::from(found.is_some());
        let place = serde_json::to_string(reader.checkpoint()).unwrap();
        let place: Checkpoint = serde_json::from_str(&place).unwrap();
        assert_eq!(
            read_from(text.as_bytes(), place, 3),
            Ok(expected(4)[n..].to_vec())
        );
    }
    assert_eq!(n, 4);
}

#[test]
fn a_file_that_is_something_else_is_refused() {
    let whole = export(&[message(0)]).to_string();
    let without = |name: &str| {
        let mut export = export(&[message(0)]);
        export.as_object_mut().unwrap().remove(name);
        export.to_string()
    };
    let zeros = whole.replace(GUILD, "01200000000000000000");
    for (text, why) in [
        ("", WrongFile::NotAnExport),
        ("[]", WrongFile::NotAnExport),
        ("{}", WrongFile::NotAnExport),
        ("<html>", WrongFile::NotAnExport),
        ("{\"messages\": 5}", WrongFile::NotAnExport),
        ("{\"messages\": [", WrongFile::Nameless),
        (&without("guild"), WrongFile::Nameless),
        (&without("channel"), WrongFile::Nameless),
        (&without("messages"), WrongFile::NotAnExport),
        (&zeros, WrongFile::Nameless),
        (&whole[..whole.len() / 2], WrongFile::Cut),
    ] {
        assert_eq!(read(text.as_bytes(), 5), Err(why), "{text}");
    }
}

#[test]
fn a_value_without_end_takes_no_more_than_its_limit() {
    let head = format!(r#"{{"guild":{{"id":"{GUILD}"}},"channel":{{"id":"{CHANNEL}"}},"#);
    let long = "x".repeat(3 << 20);
    let message = format!(r#"{head}"messages":[{{"content":"{long}"}}]}}"#);
    assert_eq!(read(message.as_bytes(), 4096), Err(WrongFile::TooLarge));
    let deep = format!(r#"{head}"messages":[{}"#, "[".repeat(1000));
    assert_eq!(read(deep.as_bytes(), 4096), Err(WrongFile::TooLarge));
    // What nobody needs is skipped, however long it is.
    let skipped = format!(r#"{head}"topic":"{long}","messages":[]}}"#);
    assert_eq!(read(skipped.as_bytes(), 4096), Ok(Vec::new()));
}

#[test]
fn a_message_that_cannot_be_read_hides_no_other() {
    let mut odd = message(1);
    odd["id"] = json!(5);
    let broken = json!("no message");
    let text = export(&[message(0), odd, broken, json!(null), message(1)]).to_string();
    assert_eq!(read(text.as_bytes(), 64), Ok(expected(2)));
}

#[test]
fn files_saved_beside_the_export_have_no_address() {
    let mut local = message(0);
    local["attachments"][0]["url"] = json!("clips.json_Files/clip-0.mp4");
    let text = export(&[local]).to_string();
    let mut reader = Reader::at(Checkpoint::default());
    let (_, found) = reader.read(text.as_bytes()).unwrap();
    let Some(Found::Message(message)) = found else {
        panic!("{found:?}");
    };
    assert_eq!(message.attachments[0].url, None);
    assert_eq!(message.attachments[0].size, Some(1000));
}

/// `PROPTEST_CASES` asks for more.
fn many_cases() -> ProptestConfig {
    let config = ProptestConfig::default();
    ProptestConfig {
        cases: config.cases.max(2000),
        ..config
    }
}

proptest! {
    #![proptest_config(many_cases())]
    #[test]
    fn a_damaged_file_ends_without_a_panic(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..12),
        length in 1..300_usize,
    ) {
        let messages: Vec<Value> = (0..3).map(message).collect();
        let mut text = export(&messages).to_string().into_bytes();
        for (at, byte, how) in damage {
            if text.is_empty() {
                break;
            }
            let at = at.index(text.len());
            match how {
                0 => text[at] = byte,
                1 => text.truncate(at),
                2 => text.insert(at, byte),
                _ => { text.remove(at); }
            }
        }
        // Any outcome but a panic is right; it must not find more than there is.
        if let Ok(names) = read(&text, length) {
            prop_assert!(names.len() <= 3);
        }
    }
}
