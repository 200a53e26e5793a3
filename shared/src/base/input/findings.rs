//! The errors that the passes over a value find, and the reasons for which a pass stops.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt::Display;

use serde::de::{self, Expected, Unexpected};

use super::invalid::{FieldCode, FieldError, Step};

/// The largest number of errors in one answer. Each may cost a pass.
pub(super) const MOST: usize = 100;

/// The largest number of characters that an answer repeats of a name the caller sent.
pub(super) const LONGEST_NAME: usize = 64;

/// Everything found so far. Values are identified by address, because names may repeat.
#[derive(Default)]
pub(super) struct Findings {
    is_lenient: bool,
    pub errors: RefCell<Vec<FieldError>>,
    pub ignored: RefCell<Vec<String>>,
    left_out: RefCell<HashSet<usize>>,
    /// Required fields, by the address of their object.
    stand_ins: RefCell<HashSet<(usize, &'static str)>>,
}

impl Findings {
    pub fn new(is_lenient: bool) -> Findings {
        Findings {
            is_lenient,
            ..Findings::default()
        }
    }

    /// Leaves a value out of later passes. Returns whether it was part of them before.
    pub fn leave_out(&self, address: usize) -> bool {
        self.left_out.borrow_mut().insert(address)
    }

    pub fn is_left_out(&self, address: usize) -> bool {
        self.left_out.borrow().contains(&address)
    }

    /// Adds a stand-in for a field of an object. Returns whether it had none before.
    pub fn give_stand_in(&self, object: usize, field: &'static str) -> bool {
        self.stand_ins.borrow_mut().insert((object, field))
    }

    pub fn stand_ins(&self, object: usize) -> Vec<&'static str> {
        let all = self.stand_ins.borrow();
        let own = all.iter().filter(|(address, _)| *address == object);
        own.map(|(_, name)| *name).collect()
    }

    pub fn wrong(&self, path: &Path<'_>, code: FieldCode, detail: String) {
        self.add(FieldError::at(path.steps(), code, detail));
    }

    pub fn add(&self, error: FieldError) {
        if !self.is_full() {
            self.errors.borrow_mut().push(error);
        }
    }

    /// Whether the list of errors is full.
    pub fn is_full(&self) -> bool {
        self.errors.borrow().len() >= MOST || self.ignored.borrow().len() >= MOST
    }

    /// Records that nothing reads a field. Returns whether the field can simply be ignored.
    pub fn ignore(&self, path: &Path<'_>) -> bool {
        if self.is_lenient {
            let name = FieldError::at(path.steps(), FieldCode::Unknown, "");
            self.ignored.borrow_mut().push(name.place.to_string());
        }
        self.is_lenient
    }

    pub fn progress(&self) -> usize {
        self.left_out.borrow().len() + self.stand_ins.borrow().len()
    }
}

/// The path to a value.
#[derive(Clone, Copy)]
pub(super) enum Path<'a> {
    Root,
    Name(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

impl Path<'_> {
    pub fn steps(&self) -> Vec<Step> {
        let (parent, step) = match self {
            Path::Root => return Vec::new(),
            Path::Name(parent, name) => {
                let mut short: String = name.chars().take(LONGEST_NAME).collect();
                if short.len() < name.len() {
                    short.push('…');
                }
                (parent, Step::Name(short))
            }
            Path::Index(parent, index) => (parent, Step::Index(*index)),
        };
        let mut steps = parent.steps();
        steps.push(step);
        steps
    }
}

/// Why a pass stopped. It never contains a value from the caller, which could be mistaken for
/// our own text.
#[derive(Debug)]
pub(super) enum Stop {
    /// The error has been recorded in the findings.
    Found,
    Value(FieldCode, String),
    Missing(&'static str),
    Duplicate(&'static str),
    Unknown,
    /// No stand-in was found for a required field.
    NoStandIn,
}

impl Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Stop {}

impl de::Error for Stop {
    fn custom<T: Display>(text: T) -> Stop {
        Stop::Value(FieldCode::Invalid, text.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Stop {
        let code = match found {
            // Such as a negative one where the type has none.
            Unexpected::Signed(_) | Unexpected::Unsigned(_) => FieldCode::OutOfRange,
            _ => FieldCode::WrongType,
        };
        Stop::expected(code, expected)
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Stop {
        let code = match found {
            Unexpected::Signed(_) | Unexpected::Unsigned(_) | Unexpected::Float(_) => {
                FieldCode::OutOfRange
            }
            _ => FieldCode::Invalid,
        };
        Stop::expected(code, expected)
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Stop {
        Stop::expected(FieldCode::Invalid, one_of(expected))
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Stop {
        Stop::Unknown
    }

    fn missing_field(field: &'static str) -> Stop {
        Stop::Missing(field)
    }

    fn duplicate_field(field: &'static str) -> Stop {
        Stop::Duplicate(field)
    }
}

impl Stop {
    pub fn expected(code: FieldCode, expected: impl Display) -> Stop {
        Stop::Value(code, format!("expected {expected}"))
    }

    pub fn wrong_type(expected: impl Display) -> Stop {
        Stop::expected(FieldCode::WrongType, expected)
    }
}

pub(super) fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match &quoted[..] {
        [one, other] => format!("{one} or {other}"),
        all => format!("one of {}", all.join(", ")),
    }
}
