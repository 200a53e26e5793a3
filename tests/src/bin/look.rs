//! Looks inside video files and prints what it finds, one line of JSON for each. With
//! `--damaged N` it looks inside N damaged copies instead, and fails if a walk takes too
//! long, or the process too much memory.
//!
//! ```sh
//! cargo run -p integration --bin look -- clip.mp4
//! cargo run -p integration --bin look -- --damaged 40000 --seed 1 tests/fixtures/media/*
//! ```

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use integration::media::{look, look_at_damaged};
use serde_json::json;
use shared::media::Next;

/// The longest time of one walk.
const LONGEST: Duration = Duration::from_secs(1);

/// The most memory, in KiB.
const MOST_MEMORY: u64 = 64 * 1024;

fn main() -> anyhow::Result<()> {
    let (mut damaged, mut seed, mut paths) = (0, 1, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|text| text.parse::<u64>().ok());
        match argument.as_str() {
            "--damaged" => damaged = number().context("--damaged: expected a number")?,
            "--seed" => seed = number().context("--seed: expected a number")?,
            path => paths.push(PathBuf::from(path)),
        }
    }
    paths.retain(|path| path.extension().is_none_or(|extension| extension != "json"));
    ensure!(!paths.is_empty(), "expected files");
    let mut files = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        files.push((name.into_owned(), std::fs::read(&path)?));
    }
    if damaged > 0 {
        let longest = look_at_damaged(&files, damaged, seed);
        let memory = most_memory()?;
        println!("{damaged} damaged files: at most {longest:?} for one, and {memory} KiB");
        ensure!(longest <= LONGEST, "a walk took too long");
        ensure!(memory <= MOST_MEMORY, "the process took too much memory");
        return Ok(());
    }
    for (name, file) in &files {
        println!("{}", line(name, file));
    }
    Ok(())
}

fn line(name: &str, file: &[u8]) -> serde_json::Value {
    let looked = look(file);
    let mut line = json!({ "file": name, "reads": looked.reads, "bytes": looked.bytes });
    let more = match looked.result {
        Next::Done(facts) => json!({
            "duration": facts.duration,
            "width": facts.width,
            "height": facts.height,
            "rotation": facts.rotation,
            "codec": facts.codec,
        }),
        Next::Failed(problem) => json!({ "problem": problem.code() }),
        Next::Read(_) => json!({}),
    };
    if let (Some(line), Some(more)) = (line.as_object_mut(), more.as_object()) {
        line.extend(more.clone());
    }
    line
}

/// The most memory that the process had at any time, in KiB.
fn most_memory() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let mut lines = status
        .lines()
        .filter_map(|line| line.strip_prefix("VmHWM:"));
    let text = lines.next().context("the system does not tell")?;
    Ok(text.trim().trim_end_matches(" kB").parse()?)
}
