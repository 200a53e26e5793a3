//! Parses the table of keys in `docs/KEYS.md`.

use std::time::Duration;

/// When a key of a row expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    None,
    /// After this time at the latest.
    Within(Duration),
    Set,
    ByState,
}

/// A row.
#[derive(Clone, Debug)]
pub struct Row {
    pub pattern: String,
    /// Whether it starts with the deployment's prefix.
    pub is_prefixed: bool,
    pub kind: String,
    pub expiry: Expiry,
    pub written_by: Vec<String>,
    pub read_by: Vec<String>,
}

/// The rows of the document, in order.
pub fn rows() -> Vec<Row> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/KEYS.md");
    let text = std::fs::read_to_string(path).unwrap();
    let section = text.split("\n## ").find(|part| part.starts_with("Keys\n"));
    let lines = section.expect("there is a section on keys").lines();
    lines
        .filter(|line| line.starts_with("| `"))
        .map(row)
        .collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let ["", key, kind, holds, expiry, written_by, read_by, ""] = cells[..] else {
        panic!("not the cells of a row: {line}");
    };
    assert!(!holds.is_empty(), "{line}");
    let (pattern, note) = key[1..].split_once('`').unwrap();
    let names = |cell: &str| cell.split(',').map(|name| name.trim().to_owned()).collect();
    Row {
        pattern: pattern.to_owned(),
        is_prefixed: !note.contains("never prefixed"),
        kind: kind.to_owned(),
        expiry: expiry_of(expiry),
        written_by: names(written_by),
        read_by: names(read_by),
    }
}

fn expiry_of(cell: &str) -> Expiry {
    let (class, reason) = cell.split_once(':').unwrap_or((cell, ""));
    assert!(!reason.trim().is_empty(), "no reason: {cell}");
    match class {
        "none" => Expiry::None,
        "set" => Expiry::Set,
        "by state" => Expiry::ByState,
        time => Expiry::Within(duration(time)),
    }
}

fn duration(text: &str) -> Duration {
    let (number, unit) = text.split_once(' ').unwrap();
    let seconds = match unit {
        "s" => 1,
        "min" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => panic!("no unit of time: {text}"),
    };
    Duration::from_secs(seconds * number.parse::<u64>().unwrap())
}

impl Row {
    /// Whether a key without its prefix matches the row.
    pub fn has_form_of(&self, key: &str) -> bool {
        fits(&self.pattern, key)
    }

    /// The number of literal characters in a row. The more, the more specific the row.
    pub fn n_literal(&self) -> usize {
        let parts = self.pattern.split('{');
        parts
            .map(|part| part.rsplit('}').next().unwrap_or(part).len())
            .sum()
    }
}

fn fits(pattern: &str, key: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('{') else {
        return pattern == key;
    };
    let (name, after) = rest.split_once('}').unwrap();
    let Some(key) = key.strip_prefix(before) else {
        return false;
    };
    let letters = key.chars().take_while(|letter| may_stand(name, *letter));
    let mut ends: Vec<usize> = letters
        .scan(0, |end, letter| {
            *end += letter.len_utf8();
            Some(*end)
        })
        .collect();
    ends.reverse();
    ends.into_iter().any(|end| fits(after, &key[end..]))
}

/// Which characters a placeholder may stand for.
fn may_stand(name: &str, letter: char) -> bool {
    match name {
        // A key's name and an address; the resource of a lock.
        "caller" | "resource" => true,
        "window" | "fence" | "stretch" => letter.is_ascii_digit(),
        _ => letter != ':',
    }
}

#[test]
fn a_key_has_the_form_of_its_row_and_of_no_other() {
    let row = |pattern: &str| {
        let line = format!("| `{pattern}` | STRING | x | none: x | x | x |");
        row(&line)
    };
    assert!(row("a:{id}:{fence}").has_form_of("a:01J:12"));
    assert!(!row("a:{id}:{fence}").has_form_of("a:01J:x"));
    assert!(!row("a:{id}").has_form_of("a:01J:12"));
    assert!(!row("a:{id}").has_form_of("a:"));
    assert!(row("r:{action}:{caller}").has_form_of("r:read:api:2001:db8::"));
    assert!(row("r:{action}:{caller}:{window}").has_form_of("r:read:api:192.0.2.7:99"));
    assert!(row("lock:fence").n_literal() > row("lock:{resource}").n_literal());
}

#[test]
fn who_writes_and_reads_a_key_is_a_function_or_somebody_known() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../functions");
    let functions = std::fs::read_dir(folder).unwrap();
    let mut known: Vec<String> = functions
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    known.extend(["every route", "other programs", "people", "dev doctor"].map(str::to_owned));
    for row in rows() {
        for name in row.written_by.iter().chain(&row.read_by) {
            assert!(known.contains(name), "{}: {name}", row.pattern);
        }
    }
}
