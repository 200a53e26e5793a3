//! The recorded replies of a real Redis, `tests/compat/*.txt`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Endpoint;
use super::endpoint::Target;
use super::transcript::{command, same};

cases! {
    strings_answer_as_recorded: Nothing,
    keys_answer_as_recorded: Nothing,
    hashes_answer_as_recorded: Nothing,
    lists_answer_as_recorded: Nothing,
    sets_answer_as_recorded: Nothing,
    sorted_sets_answer_as_recorded: Nothing,
    streams_answer_as_recorded: Nothing,
    scripts_answer_as_recorded: Nothing,
    the_server_answers_as_recorded: Nothing,
}

async fn strings_answer_as_recorded(endpoint: &Endpoint) {
    replay(endpoint, "strings").await;
}

async fn keys_answer_as_recorded(endpoint: &Endpoint) {
    replay(endpoint, "keys").await;
}

async fn hashes_answer_as_recorded(endpoint: &Endpoint) {
    replay(endpoint, "hashes").await;
}

async fn lists_answer_as_recorded(endpoint: &Endpoint) {
    replay(endpoint, "lists").await;
}

async fn sets_answer_as_recorded(endpoint: &Endpoint) {
    replay(endpoint, "sets").await;
}

async fn sorted_sets_answer_as_recorded(endpoint: &Endpoint) {
    replay(endpoint, "sorted_sets").await;
}

async fn streams_answer_as_recorded(endpoint: &Endpoint) {
    replay(endpoint, "streams").await;
}

async fn scripts_answer_as_recorded(endpoint: &Endpoint) {
    replay(endpoint, "scripting").await;
}

async fn the_server_answers_as_recorded(endpoint: &Endpoint) {
    replay(endpoint, "server").await;
}

/// Commands about a whole database or all scripts, which cannot be tested on a shared
/// database.
const GLOBAL: &[&str] = &[
    "KEYS",
    "SCAN",
    "DBSIZE",
    "RANDOMKEY",
    "FLUSHDB",
    "FLUSHALL",
    "EVALSHA",
    "SCRIPT",
];

/// The folder, relative to the package that compiles this file.
fn folder() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package
        .ancestors()
        .find(|folder| folder.join("tests/compat").is_dir());
    root.unwrap_or(package).join("tests/compat")
}

async fn replay(endpoint: &Endpoint, family: &str) {
    let shared = matches!(endpoint.target, Target::Service { .. });
    let text = std::fs::read_to_string(folder().join(format!("{family}.txt"))).unwrap();
    let mut n_replayed = 0;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(words) = command(line) else {
            continue;
        };
        let words = words.unwrap();
        let recorded = lines.next().and_then(|line| line.strip_prefix("< "));
        let recorded: Value =
            serde_json::from_str(recorded.unwrap_or_else(|| panic!("{line}: not recorded")))
                .unwrap();
        if shared && GLOBAL.contains(&words[0].as_str()) {
            continue;
        }
        let expected = without_error_objects(&plain(&recorded), true);
        let body = endpoint.raw(json!(words)).await;
        let theirs = body.get("result").cloned().unwrap_or(body.clone());
        assert!(
            same(&words, &expected, &theirs),
            "{family}: {line}\n{expected}\n{theirs}"
        );
        n_replayed += 1;
    }
    assert!(
        n_replayed > 4,
        "{family}: only {n_replayed} commands were found"
    );
}

/// A reply as recorded. The REST encoding does not distinguish a status from a string.
fn plain(recorded: &Value) -> Value {
    match recorded {
        Value::Object(fields) => fields
            .get("status")
            .cloned()
            .unwrap_or_else(|| recorded.clone()),
        Value::Array(items) => items.iter().map(plain).collect(),
        other => other.clone(),
    }
}

/// Inside an array, an error is represented by its text.
fn without_error_objects(recorded: &Value, top: bool) -> Value {
    match recorded {
        Value::Object(fields) if !top => fields.get("error").cloned().unwrap_or(Value::Null),
        Value::Array(items) => items
            .iter()
            .map(|item| without_error_objects(item, false))
            .collect(),
        other => other.clone(),
    }
}
