//! Looking inside video files.
//!
//! The files in `tests/fixtures/media` were made by `.ci/media.py fixtures`, and
//! `expected.json` is what ffprobe says about them.

mod damage;
mod files;
mod probes;
mod server;
mod stage;

use std::path::PathBuf;

use integration::media::{Looked, files_in, look};
use shared::media::{Facts, Next};

/// The real files, by name.
fn fixtures() -> Vec<(String, Vec<u8>)> {
    files_in(&folder()).unwrap()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/media")
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap()
}

/// What is found in a file, and with how many reads.
fn found(file: &[u8]) -> (Facts, u32) {
    match look(file) {
        Looked {
            result: Next::Done(facts),
            reads,
            ..
        } => (facts, reads),
        other => panic!("{other:?}"),
    }
}
