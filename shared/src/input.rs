//! Reading JSON so that a mistake is answered with the field and what it may be.

use serde::de::{self, Deserialize, DeserializeOwned, Deserializer, Visitor};

/// Reads `text`, a JSON object, as `T`.
///
/// # Errors
/// `path.to.field: expected …`.
pub fn parse_object<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    // A list would be taken for the fields in their order.
    if text.trim_start().starts_with('[') {
        return Err("body: expected a JSON object".to_owned());
    }
    parse(text)
}

/// Reads `text` as `T`.
///
/// # Errors
/// As [`parse_object`].
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        explain(&path, error.inner())
    })?;
    json.end()
        .map_err(|_| "body: expected one JSON value and nothing after it".to_owned())?;
    Ok(value)
}

fn explain(path: &str, error: &serde_json::Error) -> String {
    let place = if path == "." { "body" } else { path };
    if !error.is_data() {
        return format!("body: expected valid JSON, line {}", error.line());
    }
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    if let Some(field) = text
        .strip_prefix("missing field `")
        .and_then(|rest| rest.split('`').next())
    {
        let parent = if path == "." {
            String::new()
        } else {
            format!("{path}.")
        };
        return format!("{parent}{field}: required");
    }
    match text.split_once("expected ") {
        Some((_, expected)) => format!("{place}: expected {expected}"),
        None => format!("{place}: {text}"),
    }
}

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounded<const MIN: u64, const MAX: u64>(u64);

impl<const MIN: u64, const MAX: u64> Bounded<MIN, MAX> {
    pub fn get(self) -> u64 {
        self.0
    }
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Bounded<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number<const MIN: u64, const MAX: u64>;
        impl<const MIN: u64, const MAX: u64> Visitor<'_> for Number<MIN, MAX> {
            type Value = Bounded<MIN, MAX>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "a whole number from {MIN} to {MAX}")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
                if (MIN..=MAX).contains(&number) {
                    return Ok(Bounded(number));
                }
                Err(E::invalid_value(de::Unexpected::Unsigned(number), &self))
            }
        }
        deserializer.deserialize_any(Number)
    }
}

/// A number of seconds from 0 to 86400, with decimals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seconds(f64);

impl Seconds {
    pub fn get(self) -> f64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Seconds;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number of seconds from 0 to 86400")
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Seconds, E> {
                if (0.0..=86_400.0).contains(&number) {
                    return Ok(Seconds(number));
                }
                Err(E::invalid_value(de::Unexpected::Float(number), &self))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Seconds, E> {
                self.visit_f64(number as f64)
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Seconds, E> {
                self.visit_f64(number as f64)
            }
        }
        deserializer.deserialize_any(Number)
    }
}

/// An id of Discord's: 15 to 20 digits, as text, since it does not fit a
/// JavaScript number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snowflake(String);

impl Snowflake {
    /// The id in `text`, if it is one.
    pub fn parse(text: &str) -> Option<Snowflake> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        // 20 digits may be more than 64 bits hold.
        (digits && (15..=20).contains(&text.len()) && text.parse::<u64>().is_ok())
            .then(|| Snowflake(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Snowflake> for String {
    fn from(id: Snowflake) -> String {
        id.0
    }
}

impl<'de> Deserialize<'de> for Snowflake {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Id;
        impl Visitor<'_> for Id {
            type Value = Snowflake;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a Discord id, 15 to 20 digits in quotes")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Snowflake, E> {
                Snowflake::parse(text)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Other("this text"), &self))
            }
        }
        deserializer.deserialize_any(Id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    #[allow(dead_code)]
    struct Input {
        channel_id: Snowflake,
        options: Option<Options>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    #[allow(dead_code)]
    struct Options {
        max_messages: Option<Bounded<1, 1_000_000>>,
    }

    fn detail(text: &str) -> String {
        parse_object::<Input>(text).unwrap_err()
    }

    #[test]
    fn a_mistake_is_answered_with_the_field_and_what_it_may_be() {
        let id = r#""channelId": "1191168914227200000""#;
        let number = "options.maxMessages: expected a whole number from 1 to 1000000";
        for wrong in ["\"many\"", "0", "1000001", "-1", "1.5", "[]", "true"] {
            let text = format!(r#"{{{id}, "options": {{"maxMessages": {wrong}}}}}"#);
            assert_eq!(detail(&text), number, "{wrong}");
        }
        assert_eq!(detail("{}"), "channelId: required");
        assert_eq!(
            detail(r#"{"channelId": 5}"#),
            "channelId: expected a Discord id, 15 to 20 digits in quotes"
        );
        assert_eq!(detail("{"), "body: expected valid JSON, line 1");
        assert_eq!(
            detail(&format!("{{{id}}} x")),
            "body: expected one JSON value and nothing after it"
        );
        assert_eq!(detail("[1]"), "body: expected a JSON object");
    }

    #[test]
    fn unknown_fields_are_ignored() {
        let text = r#"{"channelId": "1191168914227200000", "colour": "blue"}"#;
        assert!(parse::<Input>(text).is_ok());
    }

    #[test]
    fn an_id_beyond_64_bits_is_refused() {
        assert!(Snowflake::parse("18446744073709551615").is_some());
        assert!(Snowflake::parse("18446744073709551616").is_none());
        assert!(Snowflake::parse("12345").is_none());
    }
}
