//! Replays `tests/compat/*.txt` against the embedded engine.

use std::path::Path;

use serde_json::{Value, json};

use super::endpoint::Endpoint;
use super::transcript::{command, same};

/// The folder, seen from the package that compiles this file.
fn folder() -> std::path::PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package
        .ancestors()
        .find(|folder| folder.join("tests/compat").is_dir());
    root.unwrap_or(package).join("tests/compat")
}

/// A reply as recorded: the REST encoding does not tell a status from a string.
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

/// An error inside an array comes as its text.
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

#[tokio::test]
async fn recorded_replies_are_repeated() {
    let mut n_replayed = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let endpoint = Endpoint::start().await;
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let Some(words) = command(line) else {
                continue;
            };
            let words = words.unwrap();
            let recorded = lines.next().and_then(|line| line.strip_prefix("< "));
            let recorded: Value =
                serde_json::from_str(recorded.unwrap_or_else(|| panic!("{line}: not recorded")))
                    .unwrap();
            let expected = without_error_objects(&plain(&recorded), true);
            let body = endpoint.raw(json!(words)).await;
            let ours = body.get("result").cloned().unwrap_or(body.clone());
            assert!(
                same(&words, &expected, &ours),
                "{}: {line}\n{expected}\n{ours}",
                path.display()
            );
            n_replayed += 1;
        }
    }
    assert!(n_replayed > 100, "only {n_replayed} commands were found");
}
