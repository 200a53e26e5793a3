//! Compares what is deployed, and what `cargo lambda watch` serves, with the functions.

mod alarms;
mod environment;
pub mod events;
mod openapi;
mod release;
mod routes;
mod secrets;
mod template;

use std::collections::BTreeSet;
use std::path::PathBuf;

/// A path relative to the root of the workspace.
fn root(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(path)
}

/// The folders of `functions/`.
pub fn functions() -> BTreeSet<String> {
    std::fs::read_dir(root("functions"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().join("Cargo.toml").is_file())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect()
}

/// `[workspace.metadata.lambda]` of the root manifest.
fn lambda_metadata() -> serde_json::Value {
    let text = std::fs::read_to_string(root("Cargo.toml")).unwrap();
    let manifest: serde_json::Value = toml::from_str(&text).unwrap();
    manifest["workspace"]["metadata"]["lambda"].clone()
}
