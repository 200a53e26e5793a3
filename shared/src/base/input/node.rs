//! A value with its place: how it can be read, and how errors in it are recorded.

use std::collections::HashSet;

use serde_json::Number;

use super::findings::{Findings, LONGEST_NAME, Path, Stop};
use super::invalid::{FieldCode, FieldError};
use super::json::Json;
use super::nearest::{nearest, plain};

/// The input to read.
#[derive(Clone, Copy)]
pub(super) enum Input<'a> {
    Json(&'a Json),
    /// Parameters, as pairs of a name and a text.
    Pairs(&'a [(&'a str, &'a str)]),
    /// The text of a parameter. The target type says how to parse it.
    Text(&'a str),
    /// A stand-in, which is read as whatever the type asks for.
    StandIn,
}

/// A field, or a parameter.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub name: &'a str,
    pub input: Input<'a>,
    pub address: usize,
}

impl Entry<'_> {
    /// Whether this is `field`, in any of its spellings.
    pub fn is(&self, field: &str) -> bool {
        plain(self.name) == plain(field)
    }
}

/// A value with its place.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    pub input: Input<'a>,
    pub address: usize,
    pub path: &'a Path<'a>,
    pub findings: &'a Findings,
}

impl<'a> Node<'a> {
    /// Records an error of this value.
    pub fn noted<T>(&self, read: Result<T, Stop>) -> Result<T, Stop> {
        read.map_err(|stop| {
            if matches!(self.input, Input::StandIn) {
                return Stop::NoStandIn;
            }
            match stop {
                Stop::Found | Stop::Unknown => {}
                Stop::NoStandIn => {
                    self.findings.leave_out(self.address);
                }
                Stop::Missing(name) => self.missing(name),
                Stop::Duplicate(name) => self.duplicate(name),
                Stop::Value(code, detail) => {
                    if self.findings.leave_out(self.address) {
                        self.value(code, detail);
                    }
                }
            }
            Stop::Found
        })
    }

    fn value(&self, code: FieldCode, detail: String) {
        match (self.input, self.path) {
            (Input::Text(_), Path::Name(_, name)) => {
                // A text in a query stands without quotes.
                let detail = detail.trim_end_matches(", in quotes");
                self.findings.add(FieldError::parameter(name, code, detail));
            }
            _ => self.findings.wrong(self.path, code, detail),
        }
    }

    fn missing(&self, name: &'static str) {
        let is_new = self.findings.give_stand_in(self.address, name);
        let mut entries = self.entries().into_iter();
        let was_sent = entries.any(|entry| entry.is(name));
        if !is_new || was_sent {
            return;
        }
        match self.input {
            Input::Pairs(_) => {
                let error = FieldError::parameter(name, FieldCode::Missing, "required");
                self.findings.add(error);
            }
            _ => {
                let path = Path::Name(self.path, name);
                self.findings
                    .wrong(&path, FieldCode::Missing, "required".to_owned());
            }
        }
    }

    /// Leaves out the later of two spellings of one field.
    fn duplicate(&self, name: &'static str) {
        let entries = self.entries();
        let is_there =
            |entry: &&Entry<'_>| entry.is(name) && !self.findings.is_left_out(entry.address);
        match entries.iter().filter(is_there).nth(1) {
            Some(entry) => self.refuse_duplicate(entry),
            None => {
                self.findings.leave_out(self.address);
            }
        }
    }

    /// The fields of an object, or the parameters.
    pub fn entries(&self) -> Vec<Entry<'a>> {
        match self.input {
            Input::Json(Json::Object(fields)) => fields
                .iter()
                .map(|field| Entry {
                    name: &field.0,
                    input: Input::Json(&field.1),
                    address: std::ptr::from_ref(field) as usize,
                })
                .collect(),
            Input::Pairs(pairs) => pairs
                .iter()
                .map(|pair| Entry {
                    name: pair.0,
                    input: Input::Text(pair.1),
                    address: std::ptr::from_ref(pair) as usize,
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    pub fn is_object(&self) -> bool {
        matches!(
            self.input,
            Input::Json(Json::Object(_)) | Input::Pairs(_) | Input::StandIn
        )
    }

    pub fn number(&self) -> Option<Number> {
        match self.input {
            Input::Json(Json::Number(number)) => Some(number.clone()),
            // A number is what JSON takes for one, and a whole number has one spelling.
            Input::Text(text) if !text.contains(char::is_whitespace) => {
                serde_json::from_str(text).ok()
            }
            Input::StandIn => Some(1.into()),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&'a str> {
        match self.input {
            Input::Json(Json::String(text)) => Some(text),
            Input::Text(text) => Some(text),
            // What most texts may be: an id.
            Input::StandIn => Some("1000000000000000000"),
            _ => None,
        }
    }

    /// Refuses the names that are not `known`.
    pub fn check_names(&self, known: &[&str]) {
        for entry in self.entries() {
            if !known.contains(&entry.name) {
                self.refuse_unknown(&entry, known);
            }
        }
    }

    /// Refuses a name that occurs twice.
    pub fn check_repeated(&self) {
        let mut seen = HashSet::new();
        for entry in self.entries() {
            if !seen.insert(entry.name) {
                self.refuse_duplicate(&entry);
            }
        }
    }

    fn refuse_duplicate(&self, entry: &Entry<'_>) {
        if !self.findings.leave_out(entry.address) {
            return;
        }
        match self.input {
            Input::Pairs(_) => self.findings.add(FieldError::parameter(
                &short(entry.name),
                FieldCode::Duplicate,
                "expected this query parameter once",
            )),
            _ => self.findings.wrong(
                &Path::Name(self.path, entry.name),
                FieldCode::Duplicate,
                "expected this field once".to_owned(),
            ),
        }
    }
    fn refuse_unknown(&self, entry: &Entry<'_>, known: &[&str]) {
        let findings = self.findings;
        if !findings.leave_out(entry.address) || findings.is_full() {
            return;
        }
        let name = short(entry.name);
        if let Input::Pairs(_) = self.input {
            let hint = match (nearest(&name, known), known) {
                (Some(near), _) => format!("did you mean {near}?"),
                (None, []) => "this route takes none".to_owned(),
                (None, known) => format!("this route takes {}", known.join(", ")),
            };
            let detail = format!("unknown query parameter; {hint}");
            findings.add(FieldError::parameter(&name, FieldCode::Unknown, detail));
            return;
        }
        let path = Path::Name(self.path, entry.name);
        if findings.ignore(&path) {
            return;
        }
        // One spelling of each: the other is read, and not advertised.
        let names: Vec<&str> = known
            .iter()
            .copied()
            .filter(|name| !name.contains('_'))
            .collect();
        let hint = match nearest(&name, &names) {
            Some(near) => format!("did you mean {near}?"),
            None if names.is_empty() => "no fields are allowed here".to_owned(),
            None if names.len() == 1 => format!("expected {}", names[0]),
            None => format!("expected one of {}", names.join(", ")),
        };
        findings.wrong(&path, FieldCode::Unknown, format!("unknown field; {hint}"));
    }
}

fn short(name: &str) -> String {
    name.chars().take(LONGEST_NAME).collect()
}
