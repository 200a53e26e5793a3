//! Parses `tests/compat/*.txt` and compares replies with the recorded ones of a real
//! Redis.
//!
//! A file contains one command per line, with words as in a shell (`"a b"` with JSON
//! escapes). Each is followed by `< ` and the recorded reply in JSON, with `{"status":
//! …}` for a status and `{"error": …}` for an error. Lines that start with `#` are
//! comments.

use serde_json::Value;

/// Commands whose replies have no guaranteed order.
const UNORDERED: &[&str] = &[
    "SMEMBERS", "SUNION", "SINTER", "SDIFF", "KEYS", "HKEYS", "HVALS", "HGETALL", "SSCAN", "HSCAN",
    "SCAN", "SPOP",
];
/// Commands that return the current time or count keys that Redis has yet to expire.
const ROUGH: &[&str] = &["TIME", "INFO", "XINFO", "DBSIZE"];

/// The words of a command line. `None` for comments, replies and empty lines.
pub fn command(line: &str) -> Option<Result<Vec<String>, serde_json::Error>> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') || line.starts_with('<') {
        return None;
    }
    let mut words = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        if rest.starts_with('"') {
            let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<String>();
            match stream.next() {
                Some(Ok(word)) => words.push(word),
                Some(Err(error)) => return Some(Err(error)),
                None => break,
            }
            rest = rest[stream.byte_offset()..].trim_start();
        } else {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            words.push(rest[..end].to_owned());
            rest = rest[end..].trim_start();
        }
    }
    Some(Ok(words))
}

/// Whether two replies are equal as far as Redis guarantees.
pub fn same(command: &[String], real: &Value, ours: &Value) -> bool {
    let name = command[0].to_ascii_uppercase();
    if ROUGH.contains(&name.as_str()) {
        return true;
    }
    // The hosted service returns 0 where Redis refuses to copy a key onto itself.
    if name == "COPY" && command[1] == command[2] {
        return true;
    }
    // Valkey checks the TTL before it looks for the key.
    if name == "GETEX" && real.is_null() && error_of(ours).is_some() {
        return true;
    }
    match (error_of(real), error_of(ours)) {
        (Some(real), Some(ours)) => return first_word(real) == first_word(ours),
        (None, None) => {}
        _ => return false,
    }
    if UNORDERED.contains(&name.as_str()) {
        return sorted(real) == sorted(ours);
    }
    // Allows for two clocks and the time between two requests. -1 and -2 are not times.
    let slack = match name.as_str() {
        "TTL" | "EXPIRETIME" => 1,
        "PTTL" | "PEXPIRETIME" => 1500,
        _ => return equal(real, ours),
    };
    match (real.as_i64(), ours.as_i64()) {
        (Some(real), Some(ours)) if real >= 0 && ours >= 0 => (real - ours).abs() <= slack,
        _ => real == ours,
    }
}

fn error_of(reply: &Value) -> Option<&str> {
    reply.get("error").and_then(Value::as_str)
}

fn first_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}

/// Floats may have extra digits, and statuses equal strings.
fn equal(real: &Value, ours: &Value) -> bool {
    match (real, ours) {
        (Value::Array(real), Value::Array(ours)) => {
            real.len() == ours.len() && real.iter().zip(ours).all(|(real, ours)| equal(real, ours))
        }
        (Value::String(real), Value::String(ours)) if real != ours => {
            let both = (real.parse::<f64>(), ours.parse::<f64>());
            matches!(both, (Ok(real), Ok(ours)) if real == ours)
        }
        (Value::Object(_), Value::Object(_)) => match (error_of(real), error_of(ours)) {
            (Some(real), Some(ours)) => first_word(real) == first_word(ours),
            _ => real == ours,
        },
        _ => real == ours,
    }
}

fn sorted(reply: &Value) -> Vec<String> {
    let mut items = Vec::new();
    flatten(reply, &mut items);
    items.sort();
    items
}

fn flatten(reply: &Value, items: &mut Vec<String>) {
    match reply {
        Value::Array(parts) => parts.iter().for_each(|part| flatten(part, items)),
        other => items.push(other.to_string()),
    }
}
