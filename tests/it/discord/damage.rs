//! Pages whose messages are damaged at random.
//!
//! `MUTATIONS` is how many pages are tried, `MUTATIONS_SEED` where they begin.

use discord_local::sample;
use fastrand::Rng;
use serde_json::{Value, json};
use shared::discord::Page;
use shared::scan::{ClipRecord, Filter, Place, find_clips};

const PLACE: Place<'_> = Place {
    guild_id: "1200000000000000000",
    channel_id: "1200000000000000001",
    parent_id: None,
};

/// What takes the place of a piece of a page.
const PIECES: [&str; 16] = [
    "null",
    "{}",
    "[]",
    "\"\"",
    "0",
    "-1",
    "1e999",
    "18446744073709551616",
    "true",
    "[[[[[[[[",
    "}",
    "\"video/mp4\"",
    "1.5",
    "\\u0000",
    "\"\\ud83d\"",
    ":",
];

/// Messages of every kind that the sample guild has, and what else Discord documents.
fn messages() -> Vec<Value> {
    let guild = sample::guild(sample::DEFAULT_SEED);
    let ids = guild.message_ids(sample::CLIPS_ID);
    let of_sample = ids
        .iter()
        .filter_map(|id| guild.message_json(sample::CLIPS_ID, *id));
    let mut messages: Vec<Value> = of_sample.take(60).cloned().collect();
    let media = json!({ "url": "https://cdn.discordapp.com/attachments/1/2/a.mp4?ex=6&is=5&hm=a",
        "attachment_id": "1300000000000000001", "content_type": "video/mp4", "width": 3, "height": 4 });
    messages.push(
        json!({ "id": "1300000000000000000", "flags": 32768, "components": [
        { "type": 17, "components": [{ "type": 12, "items": [{ "media": media, "spoiler": true }] },
            { "type": 13, "file": media, "name": "b.mp4", "size": 7, "spoiler": false }] }] }),
    );
    messages
}

/// A page with one to four places damaged.
fn damaged(page: &str, rng: &mut Rng) -> String {
    let mut bytes = page.as_bytes().to_vec();
    for _ in 0..rng.usize(1..5) {
        let at = rng.usize(0..bytes.len());
        let end = (at + rng.usize(0..12)).min(bytes.len());
        match rng.u8(0..5) {
            0 => bytes[at] = rng.u8(..),
            1 => bytes.truncate(at.max(1)),
            2 => {
                bytes.drain(at..end);
            }
            3 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => {
                let piece = PIECES[rng.usize(0..PIECES.len())];
                bytes.splice(at..end, piece.bytes());
            }
        }
        if bytes.is_empty() {
            break;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One value of a page replaced by another, so that the page is still JSON.
fn replaced(page: &Value, rng: &mut Rng) -> String {
    fn places(value: &Value, path: &str, into: &mut Vec<String>) {
        into.push(path.to_owned());
        match value {
            Value::Array(items) => {
                (0..items.len()).for_each(|n| places(&items[n], &format!("{path}/{n}"), into))
            }
            Value::Object(fields) => fields
                .iter()
                .for_each(|(name, value)| places(value, &format!("{path}/{name}"), into)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    places(page, "", &mut all);
    let mut page = page.clone();
    for _ in 0..rng.usize(1..4) {
        let odd = [
            json!(null),
            json!({}),
            json!([]),
            json!(-1.5),
            json!("x"),
            json!(1e300),
            json!([{}]),
        ];
        if let Some(place) = page.pointer_mut(&all[rng.usize(0..all.len())]) {
            *place = odd[rng.usize(0..odd.len())].clone();
        }
    }
    page.to_string()
}

fn read(text: &str) {
    let Ok(page) = Page::parse(text) else {
        return;
    };
    assert_eq!(page.messages.len() + page.unreadable.len(), page.length);
    for message in &page.messages {
        for clip in find_clips(PLACE, message, &Filter::default()) {
            let record = ClipRecord::new(clip, Some(1.5));
            let stored = record.text();
            let read = ClipRecord::parse(&stored).unwrap_or_else(|| panic!("{stored}"));
            assert_eq!(read.text(), stored, "it reads what it writes");
            assert_eq!(stored.lines().count(), 3, "{stored}");
        }
    }
}

#[test]
fn damaged_pages_neither_panic_nor_hang_and_their_clips_can_be_stored() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().unwrap());
    let seed = number("MUTATIONS_SEED").unwrap_or(1);
    let messages = messages();
    let mut rng = Rng::with_seed(seed);
    for _ in 0..number("MUTATIONS").unwrap_or(4000) {
        let from = rng.usize(0..messages.len() - 3);
        let page = json!(messages[from..from + 3]);
        let text = match rng.bool() {
            true => damaged(&page.to_string(), &mut rng),
            false => replaced(&page, &mut rng),
        };
        read(&text);
    }
}
