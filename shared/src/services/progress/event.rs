//! An event, and what a watcher is given.

use serde::Serialize;
use serde_json::Value;

use super::Cursor;
use crate::redis::commands::streams::Entry;

/// The largest number of events in one read.
pub(super) const PAGE: u64 = 100;

/// The approximate size of the events in one read, in bytes. The rest is left for the next
/// read. A reply of Lambda may have 6 MB.
const LARGEST_READING: usize = 2 * 1024 * 1024;

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum EventType {
    /// How far the scan is.
    Progress,
    /// New clips of a page: `{clips: […]}`.
    Clip,
    /// Clips that are gone, each by `channelId`, `messageId` and `id`: `{clips: […]}`.
    Removed,
    /// The scan began, waits, or ended.
    Status,
    /// Something worth knowing, such as a message that could not be read.
    Log,
}

impl EventType {
    /// As it stands in the stream and in replies.
    pub fn as_str(self) -> &'static str {
        match self {
            EventType::Progress => "progress",
            EventType::Clip => "clip",
            EventType::Removed => "removed",
            EventType::Status => "status",
            EventType::Log => "log",
        }
    }

    fn parse(text: &str) -> EventType {
        match text {
            "progress" => EventType::Progress,
            "clip" => EventType::Clip,
            "removed" => EventType::Removed,
            "status" => EventType::Status,
            _ => EventType::Log,
        }
    }
}

/// An event of a scan.
#[derive(Clone, Debug)]
pub struct Event {
    /// The attempt that writes it.
    pub fence: u64,
    /// Its place among the attempt's, from 0.
    pub place: u64,
    /// What it is about.
    pub kind: EventType,
    /// JSON that its kind defines.
    pub data: Value,
    /// Unix milliseconds.
    pub timestamp: i64,
}

impl Event {
    pub(super) fn id(&self) -> String {
        format!("{}-{}", self.fence, self.place)
    }
}

/// An event as a watcher sees it.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct Seen {
    /// The id of the event. Events of a scan have rising ids.
    pub id: String,
    /// What it is about.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// JSON that its kind defines.
    pub data: Value,
    /// When it happened, in unix milliseconds.
    pub timestamp: i64,
}

/// The events after a cursor.
#[derive(Clone, Debug)]
pub struct Events {
    /// Oldest first.
    pub events: Vec<Seen>,
    /// Where the next reading continues.
    pub last: Cursor,
    /// Events after the cursor were trimmed before they were read: what the watcher
    /// drew from events alone is incomplete.
    pub reset: bool,
}

impl Events {
    /// `entries` starts with the cursor's own event, if that still exists.
    pub(super) fn after(cursor: &Cursor, entries: Vec<Entry>) -> Events {
        let place = |entry: &Entry| Cursor::parse(&entry.id).unwrap_or(Cursor::START);
        let reset = entries.first().is_some_and(|first| {
            let last = place(first);
            let parts = events_of(first);
            let begin = parts
                .first()
                .map_or_else(|| last.clone(), |part| part.place.clone());
            let is_inside = begin <= *cursor && *cursor <= last;
            !is_inside && !cursor.is_followed_by(&begin)
        });
        let events: Vec<Seen> = entries
            .iter()
            .flat_map(events_of)
            .filter(|part| part.place > *cursor)
            .take(PAGE as usize)
            .scan(0, |bytes, part| {
                // At least one event, and then no more than a reply can hold.
                let room = *bytes < LARGEST_READING;
                *bytes += part.data.len();
                room.then_some(part)
            })
            .map(|part| Seen {
                kind: EventType::parse(part.kind),
                data: serde_json::from_str(part.data).unwrap_or(Value::Null),
                timestamp: part.timestamp.parse().unwrap_or(0),
                id: part.place.to_string(),
            })
            .collect();
        let last = events
            .last()
            .and_then(|event| Cursor::parse(&event.id).ok())
            .unwrap_or_else(|| cursor.clone());
        Events {
            events,
            last,
            reset,
        }
    }
}

/// An event inside an entry.
struct Part<'a> {
    place: Cursor,
    kind: &'a str,
    data: &'a str,
    timestamp: &'a str,
}

/// The events of an entry. Version 0.1 stored one in each, without its place.
fn events_of(entry: &Entry) -> Vec<Part<'_>> {
    let last = Cursor::parse(&entry.id).unwrap_or(Cursor::START);
    let mut parts: Vec<Part<'_>> = Vec::new();
    for (name, value) in &entry.fields {
        if name == "at" || parts.is_empty() {
            parts.push(Part {
                place: last.clone(),
                kind: "",
                data: "",
                timestamp: "",
            });
        }
        let Some(part) = parts.last_mut() else {
            continue;
        };
        match name.as_str() {
            "at" => part.place = last.at(value),
            "type" => part.kind = value,
            "data" => part.data = value,
            "timestamp" => part.timestamp = value,
            _ => {}
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(ids: &[&str]) -> Vec<Entry> {
        ids.iter()
            .map(|id| Entry {
                id: (*id).to_owned(),
                fields: vec![
                    ("type".into(), "progress".into()),
                    ("data".into(), "{}".into()),
                ],
            })
            .collect()
    }

    fn after(cursor: &str, ids: &[&str]) -> (Vec<String>, String, bool) {
        let cursor = Cursor::parse(cursor).unwrap();
        let seen = Events::after(&cursor, entries(ids));
        let ids = seen.events.into_iter().map(|event| event.id).collect();
        (ids, seen.last.to_string(), seen.reset)
    }

    #[test]
    fn a_watcher_learns_that_events_were_trimmed_before_it_read_them() {
        assert_eq!(
            after("0", &["1-0", "1-1"]),
            (vec!["1-0".into(), "1-1".into()], "1-1".into(), false)
        );
        assert_eq!(
            after("1-1", &["1-1", "1-2"]),
            (vec!["1-2".into()], "1-2".into(), false)
        );
        assert_eq!(
            after("1-1", &["1-2"]),
            (vec!["1-2".into()], "1-2".into(), false)
        );
        assert_eq!(
            after("1-1", &["1-9"]),
            (vec!["1-9".into()], "1-9".into(), true)
        );
        assert_eq!(after("1-1", &[]), (vec![], "1-1".into(), false));
    }

    #[test]
    fn a_watcher_follows_a_scan_into_its_next_attempt() {
        assert_eq!(
            after("2-7", &["2-7", "3-0"]),
            (vec!["3-0".into()], "3-0".into(), false)
        );
    }

    #[test]
    fn a_watcher_reads_on_inside_an_entry() {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let entry = Entry {
            id: "1-3".to_owned(),
            fields: ["1", "3"]
                .iter()
                .flat_map(|at| [field("at", at), field("type", "log"), field("data", "{}")])
                .collect(),
        };
        let after = |cursor: &str| {
            let cursor = Cursor::parse(cursor).unwrap();
            let seen = Events::after(&cursor, vec![entry.clone()]);
            let ids: Vec<String> = seen.events.into_iter().map(|event| event.id).collect();
            (ids.join(" "), seen.last.to_string(), seen.reset)
        };
        assert_eq!(after("0"), ("1-1 1-3".into(), "1-3".into(), false));
        assert_eq!(after("1-0"), ("1-1 1-3".into(), "1-3".into(), false));
        assert_eq!(after("1-1"), ("1-3".into(), "1-3".into(), false));
        assert_eq!(after("1-3"), (String::new(), "1-3".into(), false));
    }

    #[test]
    fn a_malformed_cursor_is_refused() {
        for text in [
            "",
            "-",
            "x",
            "1",
            "1-",
            "1-x",
            "+1-2",
            "1-2-3",
            "99999999999999999999-0",
        ] {
            assert!(Cursor::parse(text).is_err(), "{text}");
        }
    }
}
