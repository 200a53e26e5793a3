//! Prints the clips of a scan as a table.

use std::fmt::Write as _;

use chrono::DateTime;
use serde_json::Value;

/// Longest file name to print, in characters.
const NAME: usize = 28;

/// The first clips found, and the total.
pub(crate) struct ClipTable {
    rows: Vec<Row>,
    /// Rows that are shown. The routes list the others.
    most: usize,
}

struct Row {
    name: String,
    length: String,
    date: String,
    link: String,
}

impl ClipTable {
    /// An empty table that shows up to `most` clips.
    pub fn new(most: usize) -> ClipTable {
        ClipTable {
            rows: Vec::new(),
            most,
        }
    }

    pub fn add(&mut self, clip: &Value) {
        if self.rows.len() < self.most {
            self.rows.push(Row::of(clip));
        }
    }

    /// Forgets all clips.
    pub fn clear(&mut self) {
        self.rows.clear();
    }

    /// The text to print for `found` clips.
    pub fn text(&self, found: u64) -> String {
        let mut text = String::new();
        if !self.rows.is_empty() {
            let width = self.rows.iter().map(|row| row.name.chars().count());
            let width = width.max().unwrap_or(0).max(4);
            // Writing to a `String` cannot fail.
            let _ = writeln!(
                text,
                "{:<width$}  {:>7}  {:<10}  LINK",
                "NAME", "LENGTH", "DATE"
            );
            for row in &self.rows {
                let Row {
                    name,
                    length,
                    date,
                    link,
                } = row;
                let _ = writeln!(text, "{name:<width$}  {length:>7}  {date:<10}  {link}");
            }
            let more = found.saturating_sub(self.rows.len() as u64);
            if more > 0 {
                let _ = writeln!(text, "and {more} more");
            }
        }
        let noun = if found == 1 { "clip" } else { "clips" };
        let _ = writeln!(text, "{found} {noun} found");
        text
    }
}

impl Row {
    fn of(clip: &Value) -> Row {
        let text = |name: &str| clip[name].as_str();
        // The last path segment of a link.
        let path = text("url").map(|url| url.split(['?', '#']).next().unwrap_or(url));
        let linked = path.and_then(|path| path.rsplit('/').find(|part| !part.is_empty()));
        let name = text("filename").or(linked).unwrap_or("");
        Row {
            name: shortened(name, NAME),
            length: clip["durationSeconds"]
                .as_f64()
                .map_or("?".to_owned(), length),
            date: clip["postedAt"]
                .as_i64()
                .and_then(DateTime::from_timestamp_millis)
                .map_or("?".to_owned(), |at| at.date_naive().to_string()),
            link: link(clip),
        }
    }
}

/// `0:07`, `1:02:03`.
fn length(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// Where a person can watch the clip: its Discord message, or, because the sample server
/// has no web pages, the file itself.
fn link(clip: &Value) -> String {
    let part = |name: &str| clip[name].as_str().unwrap_or_default();
    let url = part("url");
    let is_local = url.parse::<axum::http::Uri>().is_ok_and(|uri| {
        let host = uri.host().unwrap_or_default();
        host == "localhost" || host.parse().is_ok_and(is_near)
    });
    if is_local {
        return url.to_owned();
    }
    let (guild, channel) = (part("guildId"), part("channelId"));
    format!(
        "https://discord.com/channels/{guild}/{channel}/{}",
        part("messageId")
    )
}

/// Shortens a file or channel name to `most` characters and removes control characters,
/// because the name comes from an untrusted sender.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    let letter = |letter: char| {
        if letter.is_control() {
            '\u{fffd}'
        } else {
            letter
        }
    };
    let n_letters = text.chars().count();
    if n_letters <= most {
        return text.chars().map(letter).collect();
    }
    let kept = text.chars().take(most.saturating_sub(1)).map(letter);
    kept.chain(['…']).collect()
}

/// Whether an address belongs to this machine or a private network.
fn is_near(address: std::net::IpAddr) -> bool {
    match address.to_canonical() {
        std::net::IpAddr::V4(v4) => v4.is_loopback() || v4.is_private(),
        std::net::IpAddr::V6(v6) => v6.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn clip(n: u64) -> Value {
        json!({
            "filename": format!("{n}-{}", "goal".repeat(12)), "durationSeconds": 62.4,
            "postedAt": 1_700_000_000_000i64, "url": "https://cdn.discordapp.com/a.mp4",
            "guildId": "1", "channelId": "2", "messageId": n.to_string(),
        })
    }

    #[test]
    fn twenty_clips_are_shown_and_the_others_counted() {
        let mut table = ClipTable::new(20);
        (1..=25).for_each(|n| table.add(&clip(n)));
        let text = table.text(25);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 23);
        assert_eq!(
            lines[1],
            "1-goalgoalgoalgoalgoalgoalg…     1:02  2023-11-14  https://discord.com/channels/1/2/1"
        );
        assert_eq!(lines[21..], ["and 5 more", "25 clips found"]);
        assert_eq!(ClipTable::new(20).text(1), "1 clip found\n");
    }

    #[test]
    fn a_name_cannot_write_to_the_terminal() {
        let mut table = ClipTable::new(20);
        table.add(&json!({ "filename": "a\u{1b}[2Jb\n", "url": "http://127.0.0.1:8078/x" }));
        table.add(&json!({ "url": "https://clips.example/a/goal.mp4?signed=1" }));
        let text = table.text(2);
        assert!(
            !text.contains('\u{1b}') && text.contains("\ngoal.mp4 "),
            "{text:?}"
        );
        assert!(
            text.contains("http://127.0.0.1:8078/x") && text.contains('?'),
            "{text:?}"
        );
    }

    #[test]
    fn a_length_reads_like_a_clock() {
        assert_eq!([7.2, 61.0, 3723.0].map(length), ["0:07", "1:01", "1:02:03"]);
    }
}
