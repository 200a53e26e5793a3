//! Writes a log that survives the death of its process, and reads it.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use shared::clock::Clock;

use super::{Event, Line, Phase};

/// The log of this process.
pub struct Log {
    file: File,
    process: String,
    clock: Clock,
}

impl Log {
    /// # Errors
    /// If `folder` is not writable.
    pub fn create(folder: &Path, process: &str, clock: &Clock) -> std::io::Result<Log> {
        Ok(Log {
            file: File::create(folder.join(format!("{process}.log")))?,
            process: process.to_owned(),
            clock: clock.clone(),
        })
    }

    /// One unbuffered write per line, so that the operating system has everything that
    /// was written.
    pub fn note(&self, phase: Phase, event: Event) {
        let line = Line {
            at: self.clock.now_ms(),
            process: self.process.clone(),
            phase,
            event,
        };
        let mut text = serde_json::to_string(&line).expect("a line is text and numbers");
        text.push('\n');
        (&self.file)
            .write_all(text.as_bytes())
            .expect("a log that cannot be written proves nothing");
    }
}

/// Reads all logs of a folder, in chronological order.
///
/// # Errors
/// If a log cannot be read.
pub fn read(folder: &Path) -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "log") {
            continue;
        }
        let text = std::fs::read_to_string(&path)?;
        // An incomplete line was being written when its process was killed.
        for line in text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'))
        {
            lines.push(parse(line)?);
        }
    }
    lines.sort_by_key(|line| line.at);
    Ok(lines)
}

pub(super) fn parse(line: &str) -> serde_json::Result<Line> {
    serde_json::from_str(line)
}
