//! The columns of a CSV file (RFC 4180).
//!
//! A spreadsheet runs a cell that begins like a formula. The text of a clip comes from
//! strangers, so such a cell gets an apostrophe in front, which spreadsheets do not show.

use chrono::{DateTime, Datelike as _, Timelike as _};
use serde_json::Value;

/// The columns: the name of each, and where its value is in a clip.
const COLUMNS: &[(&str, &str)] = &[
    ("postedAt", "/postedAt"),
    ("channelId", "/channelId"),
    ("parentChannelId", "/parentChannelId"),
    ("messageId", "/messageId"),
    ("clipId", "/id"),
    ("jumpUrl", "/jumpUrl"),
    ("authorId", "/authorId"),
    ("authorName", "/authorName"),
    ("text", "/text"),
    ("title", "/title"),
    ("filename", "/filename"),
    ("contentType", "/contentType"),
    ("sizeBytes", "/sizeBytes"),
    ("durationSeconds", "/durationSeconds"),
    ("durationDeclared", "/durationDeclared"),
    ("durationProbed", "/durationProbed"),
    ("width", "/width"),
    ("height", "/height"),
    ("rotation", "/rotation"),
    ("codec", "/codec"),
    ("spoiler", "/spoiler"),
    ("isClip", "/isClip"),
    ("clipCreatedAt", "/clipCreatedAt"),
    ("clipParticipants", "/clipParticipants"),
    ("source", "/source"),
    ("provider", "/provider"),
    ("forwardedFromGuildId", "/forwardedFrom/guildId"),
    ("forwardedFromChannelId", "/forwardedFrom/channelId"),
    ("forwardedFromMessageId", "/forwardedFrom/messageId"),
    ("thumbhash", "/thumbhash"),
    ("reactions", "/reactions"),
    ("probe", "/probe"),
    ("probeError", "/probeError"),
    ("url", "/url"),
    ("guildId", "/guildId"),
];

/// The columns that hold a time.
const TIMES: &[&str] = &["postedAt", "clipCreatedAt"];

/// The first line.
pub(super) fn header() -> String {
    line(COLUMNS.iter().map(|(name, _)| (*name).to_owned()))
}

/// The line of a clip.
pub(super) fn row(clip: &Value) -> String {
    let cells = COLUMNS.iter().map(|(name, place)| {
        let value = clip.pointer(place).unwrap_or(&Value::Null);
        match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            Value::Number(number) if TIMES.contains(name) => {
                number.as_i64().and_then(rfc_3339).unwrap_or_default()
            }
            Value::Array(items) => {
                let items = items.iter().filter_map(Value::as_str);
                items.collect::<Vec<_>>().join(" ")
            }
            other => other.to_string(),
        }
    });
    line(cells)
}

/// A time as people and spreadsheets read it.
fn rfc_3339(unix_ms: i64) -> Option<String> {
    let time = DateTime::from_timestamp_millis(unix_ms)?;
    let (year, month, day) = (time.year(), time.month(), time.day());
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    let ms = time.timestamp_subsec_millis();
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z"
    ))
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.map(|cell| quoted(&harmless(cell))).collect();
    format!("{}\r\n", cells.join(","))
}

/// Text that no spreadsheet takes for a formula. Spaces before a formula do not stop some
/// of them.
fn harmless(cell: String) -> String {
    let begins = |c: char| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠');
    let is_control = cell.starts_with(['\t', '\r', '\n']);
    match is_control || cell.trim_start().starts_with(begins) {
        true => format!("'{cell}"),
        false => cell,
    }
}

fn quoted(cell: &str) -> String {
    let is_plain = !cell.contains(['"', ',', ';', '\r', '\n', '\t', '\'']) && cell.trim() == cell;
    match is_plain {
        true => cell.to_owned(),
        false => format!("\"{}\"", cell.replace('"', "\"\"")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scan::{Clip, Origin};

    #[test]
    fn a_cell_that_a_spreadsheet_would_run_is_defused() {
        for text in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "  =1",
            "＝1+1",
            "=HYPERLINK(\"https://evil.example\",\"x\")",
        ] {
            let row = row(&json!({ "text": text }));
            let expected = format!(",\"'{}\",", text.replace('"', "\"\""));
            assert!(row.contains(&expected), "{text:?}: {row}");
        }
        assert!(row(&json!({ "text": "a=1" })).contains(",a=1,"));
    }

    #[test]
    fn a_cell_keeps_commas_quotes_and_lines() {
        let text = "a, \"b\"\r\nc";
        let row = row(&json!({ "text": text }));
        assert!(row.contains(",\"a, \"\"b\"\"\r\nc\","), "{row}");
    }

    #[test]
    fn a_time_is_written_for_people_and_a_missing_value_is_empty() {
        let row = row(&json!({ "postedAt": 1_795_219_200_123_i64, "sizeBytes": 5 }));
        assert!(row.starts_with("2026-11-21T00:00:00.123Z,,"), "{row}");
        assert!(row.contains(",5,"));
    }

    #[test]
    fn every_field_of_a_clip_has_a_column() {
        let clip = Clip {
            forwarded_from: Some(Origin::default()),
            ..Clip::default()
        };
        let fields = json!(clip);
        for name in fields.as_object().unwrap().keys() {
            let place = format!("/{name}");
            let below = format!("{place}/");
            let has = |(_, at): &&(&str, &str)| *at == place || at.starts_with(&below);
            assert!(COLUMNS.iter().any(|column| has(&column)), "{name}");
        }
        assert!(
            COLUMNS
                .iter()
                .all(|(_, place)| fields.pointer(place).is_some())
        );
    }

    #[test]
    fn every_line_has_all_columns() {
        let commas = |line: String| line.matches(',').count() + 1;
        assert_eq!(commas(header()), COLUMNS.len());
        assert_eq!(commas(row(&json!({}))), COLUMNS.len());
    }
}
