//! Reading names with texts, such as the parameters of a query or the places of a path, as
//! a type.
//!
//! The type says everything: its fields are the names there may be, their types what each
//! may be, and its JSON schema describes both to callers.

use std::fmt::Display;

use serde::de::value::MapDeserializer;
use serde::de::{self, DeserializeOwned, Deserializer, Expected, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Number;

use super::nearest;

/// Reads `pairs` as `T`, a struct, or `()` where there may be none.
///
/// # Errors
/// `name: expected …`; an unknown name comes with the nearest known one.
pub fn parse_pairs<T: DeserializeOwned>(pairs: &[(&str, &str)]) -> Result<T, String> {
    serde_path_to_error::deserialize(Pairs(pairs)).map_err(|error| {
        let name = error.path().to_string();
        match error.into_inner() {
            Error::Names(text) => text,
            Error::Missing(name) => format!("{name}: required"),
            Error::Value(expected) => format!("{name}: expected {expected}"),
            Error::Other(text) => format!("{name}: {text}"),
        }
    })
}

/// What is wrong. A value is never a part of it: what a caller sent must not be taken for
/// words of ours.
#[derive(Debug)]
enum Error {
    /// A name that there is not, or twice.
    Names(String),
    Missing(&'static str),
    /// What was expected.
    Value(String),
    Other(String),
}

impl Error {
    /// What a type expects. A text in a query stands without quotes.
    fn value(expected: impl Display) -> Error {
        let expected = expected.to_string();
        Error::Value(expected.trim_end_matches(", in quotes").to_owned())
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: Display>(text: T) -> Error {
        let text = text.to_string();
        match text.strip_prefix("expected ") {
            Some(expected) => Error::value(expected),
            None => Error::Other(text),
        }
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn Expected) -> Error {
        Error::value(expected)
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn Expected) -> Error {
        Error::value(expected)
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Error {
        let quoted: Vec<String> = expected.iter().map(|word| format!("`{word}`")).collect();
        Error::Value(match &quoted[..] {
            [one, other] => format!("{one} or {other}"),
            all => format!("one of {}", all.join(", ")),
        })
    }

    fn missing_field(field: &'static str) -> Error {
        Error::Missing(field)
    }
}

struct Pairs<'a>(&'a [(&'a str, &'a str)]);

impl Pairs<'_> {
    /// Refuses a name that is not `known`, or there twice.
    fn check(&self, known: &[&str]) -> Result<(), Error> {
        for (n, (name, _)) in self.0.iter().enumerate() {
            if !known.contains(name) {
                let name: String = name.chars().take(64).collect();
                let hint = match (nearest(&name, known), known) {
                    (Some(near), _) => format!("did you mean {near}?"),
                    (None, []) => "this route takes none".to_owned(),
                    (None, known) => format!("this route takes {}", known.join(", ")),
                };
                let text = format!("{name}: unknown query parameter; {hint}");
                return Err(Error::Names(text));
            }
            if self.0[..n].iter().any(|(earlier, _)| earlier == name) {
                let text = format!("{name}: expected this query parameter once");
                return Err(Error::Names(text));
            }
        }
        Ok(())
    }
}

impl<'de> Deserializer<'de> for Pairs<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let pairs = self.0.iter().map(|(name, text)| (*name, Text(text)));
        visitor.visit_map(MapDeserializer::new(pairs))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.check(fields)?;
        self.deserialize_any(visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.check(&[])?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// One value. A type that takes anything gets a number where the text is one.
struct Text<'a>(&'a str);

impl<'de> IntoDeserializer<'de, Error> for Text<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Text<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        // A number is what JSON takes for one, and a whole number has one spelling.
        let is_bare = !self.0.contains(char::is_whitespace);
        let Some(number) = serde_json::from_str::<Number>(self.0)
            .ok()
            .filter(|_| is_bare)
        else {
            return visitor.visit_borrowed_str(self.0);
        };
        match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(whole), ..) => visitor.visit_u64(whole),
            (_, Some(whole), _) => visitor.visit_i64(whole),
            (_, _, Some(number)) => visitor.visit_f64(number),
            _ => visitor.visit_borrowed_str(self.0),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(Error::value("`true` or `false`")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self.0.into_deserializer())
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Bounded, Moment, Seconds, Snowflake};
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Choice {
        Keep,
        Omit,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Query {
        channel_id: Option<Snowflake>,
        after: Option<Moment>,
        min_seconds: Option<Seconds>,
        #[serde(default)]
        purge: bool,
        choice: Option<Choice>,
        limit: Option<Bounded<1, 100>>,
    }

    fn wrong(name: &str, text: &str) -> String {
        parse_pairs::<Query>(&[(name, text)]).unwrap_err()
    }

    #[test]
    fn values_are_read_by_the_types_of_their_fields() {
        let query: Query = parse_pairs(&[
            ("channelId", "1191168914227200000"),
            ("after", "2026-12-01T08:30:00Z"),
            ("minSeconds", "5.50"),
            ("purge", "true"),
            ("choice", "omit"),
            ("limit", "100"),
        ])
        .unwrap();
        assert_eq!(query.channel_id.unwrap().as_str(), "1191168914227200000");
        assert_eq!(query.after.unwrap().ms(), 1_796_113_800_000);
        assert_eq!(query.min_seconds.unwrap().get(), 5.5);
        assert!(query.purge);
        assert_eq!(query.choice, Some(Choice::Omit));
        assert_eq!(query.limit.unwrap().get(), 100);
        let after: Query = parse_pairs(&[("after", "1796113800000")]).unwrap();
        assert_eq!(after.after.unwrap().ms(), 1_796_113_800_000);
        assert!(parse_pairs::<Query>(&[]).unwrap().limit.is_none());
    }

    #[test]
    fn a_mistake_is_answered_with_the_name_and_what_it_may_be() {
        let number = "limit: expected a whole number from 1 to 100";
        for text in ["", "0", "101", "-1", "+5", " 5", "05", "5.0", "1e1", "many"] {
            assert_eq!(wrong("limit", text), number, "{text}");
        }
        let id = format!("channelId: expected {}", Snowflake::EXPECTED);
        assert_eq!(wrong("channelId", "5"), id);
        assert_eq!(wrong("channelId", ""), id);
        assert_eq!(wrong("purge", "yes"), "purge: expected `true` or `false`");
        assert_eq!(wrong("choice", "both"), "choice: expected `keep` or `omit`");
        for text in [
            "NaN", "inf", "-1", "86401", "many", "", "1e999", "005.5", "5.",
        ] {
            let expected = "minSeconds: expected a number of seconds from 0 to 86400";
            assert_eq!(wrong("minSeconds", text), expected, "{text}");
        }
        assert!(wrong("after", "1600000000").contains("send 1600000000000"));
        let seconds: Query = parse_pairs(&[("minSeconds", "1e3")]).unwrap();
        assert_eq!(seconds.min_seconds.unwrap().get(), 1000.0);
    }

    #[test]
    fn what_a_caller_sent_is_not_taken_for_words_of_ours() {
        let number = "limit: expected a whole number from 1 to 100";
        assert_eq!(wrong("limit", "expected x"), number);
        assert_eq!(
            wrong("choice", "expected x"),
            "choice: expected `keep` or `omit`"
        );
        let name = "missing field `x";
        assert!(wrong(name, "1").starts_with("missing field `x: unknown query parameter; "));
    }

    #[test]
    fn names_are_those_of_the_fields_each_once() {
        assert_eq!(
            wrong("chanelId", "5"),
            "chanelId: unknown query parameter; did you mean channelId?"
        );
        let twice = parse_pairs::<Query>(&[("limit", "5"), ("limit", "5")]);
        assert_eq!(
            twice.unwrap_err(),
            "limit: expected this query parameter once"
        );
        assert_eq!(
            parse_pairs::<()>(&[("x", "")]).unwrap_err(),
            "x: unknown query parameter; this route takes none"
        );
        assert!(parse_pairs::<()>(&[]).is_ok());
    }

    #[derive(Debug, serde::Deserialize)]
    struct Needed {
        #[allow(dead_code)]
        name: String,
    }

    #[test]
    fn a_name_that_is_left_out_is_required() {
        assert_eq!(parse_pairs::<Needed>(&[]).unwrap_err(), "name: required");
    }
}
