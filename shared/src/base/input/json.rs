//! A JSON text as a tree.
//!
//! Unlike `serde_json::Value`, it keeps repeated names, so that they can be refused. It also has
//! a canonical form, so that two texts can be compared by meaning.

use std::fmt::Write as _;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_json::error::Category;

use super::invalid::{FieldCode, FieldError, Invalid};

#[derive(Debug)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    Array(Vec<Json>),
    /// The fields, in the order of the text.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// # Errors
    /// The place at which the text stops being JSON.
    pub fn parse(text: &str) -> Result<Json, Invalid> {
        if text.trim().is_empty() {
            let detail = "the body is empty; expected JSON";
            return Err(FieldError::body(FieldCode::Syntax, detail).into());
        }
        serde_json::from_str(text).map_err(|error| {
            let position = (error.line().max(1), error.column().max(1));
            let (line, column) = position;
            let what = match error.classify() {
                Category::Eof => "the text ends too early",
                // The parser has no categories for its two limits.
                _ if error.to_string().starts_with("recursion limit") => {
                    "more than 127 levels are nested"
                }
                _ if error.to_string().starts_with("number out of range") => {
                    "a number is too large"
                }
                _ => "there is a syntax error",
            };
            let detail = format!("expected valid JSON; {what} at line {line}, column {column}");
            let error = FieldError::body(FieldCode::Syntax, detail);
            FieldError {
                position: Some(position),
                ..error
            }
            .into()
        })
    }

    fn write(&self, text: &mut String) {
        match self {
            Json::Null => text.push_str("null"),
            Json::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
            Json::Number(number) => write_number(number, text),
            Json::String(value) => write_string(value, text),
            Json::Array(items) => {
                text.push('[');
                for item in items {
                    item.write(text);
                    text.push(',');
                }
                text.push(']');
            }
            Json::Object(fields) => {
                let mut fields: Vec<&(String, Json)> = fields.iter().collect();
                // Stable: of a repeated name, the order is a part of the meaning.
                fields.sort_by(|(a, _), (b, _)| a.cmp(b));
                text.push('{');
                for (name, value) in fields {
                    write_string(name, text);
                    text.push(':');
                    value.write(text);
                    text.push(',');
                }
                text.push('}');
            }
        }
    }
}

/// Returns a canonical form of `text`, which is the same for all texts with the same meaning.
/// White space, the order of fields, escapes, and `5.0` for `5` make no difference. Returns
/// `None` if `text` is not JSON. The canonical form itself is not JSON.
pub fn canonical(text: &str) -> Option<String> {
    let json = Json::parse(text).ok()?;
    let mut canonical = String::with_capacity(text.len());
    json.write(&mut canonical);
    Some(canonical)
}

fn write_string(value: &str, text: &mut String) {
    let _ = write!(text, "{value:?}");
}

fn write_number(number: &Number, text: &mut String) {
    // Whole numbers that a float holds exactly.
    let whole = number
        .as_f64()
        .filter(|float| float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0);
    let _ = match whole {
        Some(whole) => write!(text, "{}", whole as i64),
        None => write!(text, "{number}"),
    };
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Json;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON value")
            }

            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
                Ok(Json::Bool(value))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
                Ok(Json::Number(number.into()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
                Ok(Json::Number(number.into()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
                Ok(Number::from_f64(number).map_or(Json::Null, Json::Number))
            }

            fn visit_str<E>(self, text: &str) -> Result<Json, E> {
                Ok(Json::String(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<Json, E> {
                Ok(Json::String(text))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Json::Array(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Json::Object(fields))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: &str, b: &str) -> bool {
        canonical(a).unwrap() == canonical(b).unwrap()
    }

    #[test]
    fn texts_of_one_meaning_have_one_form() {
        assert!(same(r#"{"a": 1, "b": [2, 3]}"#, r#"{ "b":[2,3],"a":1.0 }"#));
        assert!(same(r#""\u0041/""#, r#""A\/""#));
        assert!(same("1e2", "100"));
        assert!(same("-0.0", "0"));
    }

    #[test]
    fn texts_of_another_meaning_have_another_form() {
        for (a, b) in [
            ("[1, 2]", "[2, 1]"),
            (r#"["a", "b"]"#, r#"["a,b"]"#),
            (r#"["a\",\"b"]"#, r#"["a", "b"]"#),
            (r#"{"a": 1}"#, r#"{"a": 1, "b": null}"#),
            (r#"{"a": {}, "b": 1}"#, r#"{"a": {"b": 1}}"#),
            (r#"{"a": 1, "a": 2}"#, r#"{"a": 2, "a": 1}"#),
            ("1", r#""1""#),
            ("18446744073709551615", "18446744073709551614"),
            ("0.1", "0.2"),
        ] {
            assert!(!same(a, b), "{a} {b}");
        }
        assert_eq!(canonical("{"), None);
    }

    #[test]
    fn a_syntax_error_says_where_it_is() {
        let error = |text: &str| Json::parse(text).unwrap_err().errors()[0].clone();
        let early = error("{\"a\":");
        assert_eq!(early.position, Some((1, 5)));
        assert_eq!(
            early.to_string(),
            "body: expected valid JSON; the text ends too early at line 1, column 5"
        );
        let wrong = error("{\n  \"a\": 1,\n}");
        assert_eq!(wrong.position, Some((3, 1)));
        assert!(
            wrong
                .detail
                .ends_with("there is a syntax error at line 3, column 1")
        );
        assert_eq!(
            error(" ").to_string(),
            "body: the body is empty; expected JSON"
        );
        let nested = error(&"[".repeat(200)).detail;
        assert!(
            nested.contains("more than 127 levels are nested"),
            "{nested}"
        );
        let large = error("1e999").detail;
        assert!(large.contains("a number is too large"), "{large}");
        for text in ["", "{} x", "nul", "1e999", "'a'", &"[".repeat(200)] {
            assert_eq!(error(text).code, FieldCode::Syntax, "{text}");
        }
    }
}
