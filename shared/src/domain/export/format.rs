//! The formats of an export, and how rows become parts.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::csv;

/// Maximum size of a part in bytes, unless one row alone is larger.
const LARGEST: usize = 900_000;

/// What a file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// A table with a header line, for spreadsheets.
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// One JSON array.
    Json,
}

impl ExportFormat {
    /// The media type of a part.
    pub fn media_type(self) -> &'static str {
        match self {
            ExportFormat::Csv => "text/csv; charset=utf-8",
            ExportFormat::Jsonl => "application/jsonl; charset=utf-8",
            ExportFormat::Json => "text/plain; charset=utf-8",
        }
    }

    /// The end of a file's name.
    pub fn extension(self) -> &'static str {
        match self {
            ExportFormat::Csv => "csv",
            ExportFormat::Jsonl => "jsonl",
            ExportFormat::Json => "json",
        }
    }

    /// What stands before the first row.
    fn head(self) -> String {
        match self {
            ExportFormat::Csv => csv::header(),
            ExportFormat::Jsonl => String::new(),
            ExportFormat::Json => "[".to_owned(),
        }
    }

    /// A row. `is_first` says whether it is the first of the file.
    fn row(self, clip: &Value, is_first: bool) -> String {
        match self {
            ExportFormat::Csv => csv::row(clip),
            ExportFormat::Jsonl => format!("{clip}\n"),
            ExportFormat::Json if is_first => format!("\n{clip}"),
            ExportFormat::Json => format!(",\n{clip}"),
        }
    }

    /// What stands after the last row.
    fn tail(self) -> &'static str {
        match self {
            ExportFormat::Csv | ExportFormat::Jsonl => "",
            ExportFormat::Json => "\n]\n",
        }
    }
}

/// A part that is complete.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    /// Its text.
    pub text: String,
    /// How many clips are in it.
    pub clips: u64,
}

/// Collects rows, and cuts them into parts between two rows. The parts of a file, one
/// after another, are the file.
#[derive(Debug)]
pub struct PartWriter {
    format: ExportFormat,
    text: String,
    clips: u64,
    /// Whether the head has been written.
    has_head: bool,
    /// Whether any row of the file has been written.
    has_row: bool,
}

impl PartWriter {
    /// Starts where `written` clips in `parts` parts have been written.
    pub fn new(format: ExportFormat, parts: u64, written: u64) -> PartWriter {
        PartWriter {
            format,
            text: String::new(),
            clips: 0,
            has_head: parts > 0,
            has_row: written > 0,
        }
    }

    /// Adds a clip. Returns the part that it did not fit into.
    pub fn add(&mut self, clip: &Value) -> Option<Part> {
        self.add_head();
        let row = self.format.row(clip, !self.has_row);
        let is_full = self.clips > 0 && self.text.len() + row.len() > LARGEST;
        let full = is_full.then(|| self.cut());
        self.has_row = true;
        self.text.push_str(&row);
        self.clips += 1;
        full
    }

    /// How many bytes wait for their part to be complete.
    pub fn pending(&self) -> usize {
        self.text.len()
    }

    /// What was added since the last part, as a part. `None` if there is nothing.
    pub fn flush(&mut self) -> Option<Part> {
        (!self.text.is_empty()).then(|| self.cut())
    }

    /// The last part. `None` if everything has been written already.
    pub fn finish(&mut self) -> Option<Part> {
        self.add_head();
        self.text.push_str(self.format.tail());
        self.flush()
    }

    fn add_head(&mut self) {
        if !std::mem::replace(&mut self.has_head, true) {
            self.text.push_str(&self.format.head());
        }
    }

    fn cut(&mut self) -> Part {
        Part {
            text: std::mem::take(&mut self.text),
            clips: std::mem::take(&mut self.clips),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ALL: [ExportFormat; 3] = [ExportFormat::Csv, ExportFormat::Jsonl, ExportFormat::Json];

    /// Writes `n` clips, and starts a new writer after each `every` clips, as a job that is
    /// interrupted does.
    fn written(format: ExportFormat, n: usize, every: usize, text: &str) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        let mut writer = PartWriter::new(format, 0, 0);
        for i in 0..n {
            if i % every == every - 1 {
                parts.extend(writer.flush());
                let clips = parts.iter().map(|part| part.clips).sum();
                writer = PartWriter::new(format, parts.len() as u64, clips);
            }
            parts.extend(writer.add(&json!({ "id": i.to_string(), "text": text })));
        }
        parts.extend(writer.finish());
        parts
    }

    #[test]
    fn the_parts_of_a_file_are_the_file_wherever_they_are_cut() {
        for format in ALL {
            for n in [0, 1, 2, 7] {
                let join = |parts: Vec<Part>| -> (String, u64) {
                    let clips = parts.iter().map(|part| part.clips).sum();
                    (parts.into_iter().map(|part| part.text).collect(), clips)
                };
                let whole = join(written(format, n, usize::MAX, "x"));
                assert_eq!(whole.1, n as u64);
                for every in [1, 2, 3] {
                    assert_eq!(
                        join(written(format, n, every, "x")),
                        whole,
                        "{format:?} {n}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_json_file_is_one_array_and_a_jsonl_file_one_object_a_line() {
        for n in [0, 1, 3] {
            let text = |format| -> String {
                let parts = written(format, n, 2, "line\nbreak").into_iter();
                parts.map(|part| part.text).collect()
            };
            let array: Vec<Value> = serde_json::from_str(&text(ExportFormat::Json)).unwrap();
            assert_eq!(array.len(), n);
            let lines = text(ExportFormat::Jsonl);
            let lines: Vec<Value> = lines
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect();
            assert_eq!(lines, array);
        }
    }

    #[test]
    fn a_part_is_smaller_than_a_megabyte_and_no_row_is_cut() {
        let text = "ü".repeat(20_000);
        for format in ALL {
            let parts = written(format, 100, usize::MAX, &text);
            assert!(parts.len() > 3);
            assert!(parts.iter().all(|part| part.text.len() < 1_000_000));
            let clips: u64 = parts.iter().map(|part| part.clips).sum();
            assert_eq!(clips, 100);
        }
    }
}
