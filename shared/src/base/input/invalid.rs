//! Errors in what a caller sent, with their places.

use std::fmt::{self, Display};

/// All errors, in the order in which they were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid(Vec<FieldError>);

impl Invalid {
    /// From a list of at least one error.
    pub fn errors(&self) -> &[FieldError] {
        &self.0
    }

    /// From a list of errors, unless it is empty.
    pub fn of(errors: impl IntoIterator<Item = FieldError>) -> Option<Invalid> {
        let errors: Vec<FieldError> = errors.into_iter().collect();
        (!errors.is_empty()).then_some(Invalid(errors))
    }

    pub(super) fn new(errors: Vec<FieldError>) -> Invalid {
        Invalid(errors)
    }

    /// All errors in one text, for readers who get no list: `a: …; b: …`.
    pub fn listed(&self) -> String {
        const MOST: usize = 5;
        let shown: Vec<String> = self.0.iter().take(MOST).map(ToString::to_string).collect();
        match self.0.len().saturating_sub(MOST) {
            0 => shown.join("; "),
            more => format!("{}; and {more} more", shown.join("; ")),
        }
    }

    /// These errors and those of `other`.
    #[must_use]
    pub fn and(mut self, other: Invalid) -> Invalid {
        self.0.extend(other.0);
        self
    }

    /// The errors one by one.
    pub fn into_errors(self) -> Vec<FieldError> {
        self.0
    }
}

/// Shows the first error and the number of further ones.
impl Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, more)) = self.0.split_first() else {
            return f.write_str("invalid");
        };
        write!(f, "{first}")?;
        match more.len() {
            0 => Ok(()),
            1 => f.write_str(" (and 1 more error)"),
            n => write!(f, " (and {n} more errors)"),
        }
    }
}

impl From<FieldError> for Invalid {
    fn from(error: FieldError) -> Invalid {
        Invalid(vec![error])
    }
}

/// One error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Where it is.
    pub place: Place,
    /// What kind of error it is, for programs.
    pub code: FieldCode,
    /// What is expected there, for people.
    pub detail: String,
    /// Line and column of a syntax error, from 1.
    pub position: Option<(usize, usize)>,
}

/// The place of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the body: names and indices, outermost first. Empty for the body itself.
    Body(Vec<Step>),
    /// A parameter of the path or the query.
    Parameter(String),
    /// A header.
    Header(&'static str),
}

/// One step into a JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into an object.
    Name(String),
    /// Into an array.
    Index(usize),
}

/// The kinds of errors. Their names are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldCode {
    /// The text is not JSON.
    Syntax,
    /// No field or parameter has this name here.
    Unknown,
    /// It is required and was not sent.
    Missing,
    /// It was sent twice.
    Duplicate,
    /// A value of another JSON type is expected.
    WrongType,
    /// A number that is too small or too large, or an array or a text of the wrong length.
    OutOfRange,
    /// The value cannot be read, is not an allowed one, or conflicts with another field.
    Invalid,
}

impl FieldCode {
    /// Every kind.
    pub const ALL: [FieldCode; 7] = [
        FieldCode::Syntax,
        FieldCode::Unknown,
        FieldCode::Missing,
        FieldCode::Duplicate,
        FieldCode::WrongType,
        FieldCode::OutOfRange,
        FieldCode::Invalid,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            FieldCode::Syntax => "syntax",
            FieldCode::Unknown => "unknown_field",
            FieldCode::Missing => "missing_field",
            FieldCode::Duplicate => "duplicate_field",
            FieldCode::WrongType => "wrong_type",
            FieldCode::OutOfRange => "out_of_range",
            FieldCode::Invalid => "invalid",
        }
    }
}

impl FieldError {
    fn new(place: Place, code: FieldCode, detail: impl Into<String>) -> FieldError {
        FieldError {
            place,
            code,
            detail: detail.into(),
            position: None,
        }
    }

    /// An error of the body as a whole.
    pub fn body(code: FieldCode, detail: impl Into<String>) -> FieldError {
        Self::new(Place::Body(Vec::new()), code, detail)
    }

    /// An error of a field, which is named in the form `options.maxMessages`.
    pub fn field(name: &str, code: FieldCode, detail: impl Into<String>) -> FieldError {
        let steps = name.split('.').map(|name| Step::Name(name.to_owned()));
        Self::new(Place::Body(steps.collect()), code, detail)
    }

    /// Parses a text such as `priority: expected …`, which names a field.
    pub fn of_text(text: &str) -> FieldError {
        match text.split_once(": ") {
            Some((name, detail)) => Self::field(name, FieldCode::OutOfRange, detail),
            None => Self::body(FieldCode::OutOfRange, text),
        }
    }

    /// An error of a parameter.
    pub fn parameter(name: &str, code: FieldCode, detail: impl Into<String>) -> FieldError {
        Self::new(Place::Parameter(name.to_owned()), code, detail)
    }

    /// An error of a header.
    pub fn header(name: &'static str, code: FieldCode, detail: impl Into<String>) -> FieldError {
        Self::new(Place::Header(name), code, detail)
    }

    /// The same error, in an item of an array.
    #[must_use]
    pub fn in_item(mut self, index: Option<usize>) -> FieldError {
        if let (Place::Body(steps), Some(index)) = (&mut self.place, index) {
            steps.insert(0, Step::Index(index));
        }
        self
    }

    pub(super) fn at(steps: Vec<Step>, code: FieldCode, detail: impl Into<String>) -> FieldError {
        Self::new(Place::Body(steps), code, detail)
    }
}

/// `options.maxMessages: expected …`.
impl Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.detail)
    }
}

impl std::error::Error for FieldError {}

/// The place as people write it: `[3].options.maxMessages`, or the name of a parameter.
impl Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = match self {
            Place::Parameter(name) => return f.write_str(name),
            Place::Header(name) => return f.write_str(name),
            Place::Body(steps) if steps.is_empty() => return f.write_str("body"),
            Place::Body(steps) => steps,
        };
        for (n, step) in steps.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Name(name) if n == 0 => f.write_str(name)?,
                Step::Name(name) => write!(f, ".{name}")?,
            }
        }
        Ok(())
    }
}

/// A JSON Pointer (RFC 6901) made of `steps`.
pub fn pointer(steps: &[Step]) -> String {
    let steps = steps.iter().map(|step| match step {
        Step::Index(index) => format!("/{index}"),
        Step::Name(name) => format!("/{}", name.replace('~', "~0").replace('/', "~1")),
    });
    steps.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_escapes_what_has_a_meaning_in_it() {
        let steps = [Step::Index(3), Step::Name("a/b~c".into()), Step::Index(0)];
        assert_eq!(pointer(&steps), "/3/a~1b~0c/0");
        assert_eq!(pointer(&[]), "");
    }

    #[test]
    fn a_text_names_the_first_mistake_and_counts_the_others() {
        let wrong = |name: &str| FieldError::field(name, FieldCode::Missing, "required");
        let text = |names: &[&str]| {
            let errors = names.iter().map(|name| wrong(name)).collect();
            Invalid::new(errors).to_string()
        };
        assert_eq!(text(&["options.a"]), "options.a: required");
        assert_eq!(text(&["a", "b"]), "a: required (and 1 more error)");
        assert_eq!(text(&["a", "b", "c"]), "a: required (and 2 more errors)");
        let item = wrong("a").in_item(Some(2));
        assert_eq!(item.to_string(), "[2].a: required");
        assert_eq!(wrong("a").in_item(None).to_string(), "a: required");
    }
}
