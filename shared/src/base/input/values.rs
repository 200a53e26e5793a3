//! Types for single values. Each one parses its value and says what it expects.

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounded<const MIN: u64, const MAX: u64>(u64);

impl<const MIN: u64, const MAX: u64> Bounded<MIN, MAX> {
    /// The number.
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
    /// The number.
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

/// An id of Discord's: 15 to 20 digits, the first of them not 0, as text, since it does
/// not fit a JavaScript number. An id has one spelling: it is part of keys, and is compared
/// as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snowflake(String);

impl Snowflake {
    /// What may stand in its place.
    pub const EXPECTED: &'static str = "a Discord id, 15 to 20 digits without a leading zero";

    /// The id in `text`, if it is one.
    pub fn parse(text: &str) -> Option<Snowflake> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        // 20 digits may be more than 64 bits hold.
        let is_canonical = digits && !text.starts_with('0');
        (is_canonical && (15..=20).contains(&text.len()) && text.parse::<u64>().is_ok())
            .then(|| Snowflake(text.to_owned()))
    }

    /// The id as its sender wrote it.
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
                write!(f, "{}, in quotes", Snowflake::EXPECTED)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Snowflake, E> {
                Snowflake::parse(text)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Other("this text"), &self))
            }
        }
        deserializer.deserialize_str(Id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_beyond_64_bits_is_refused() {
        assert!(Snowflake::parse("18446744073709551615").is_some());
        assert!(Snowflake::parse("18446744073709551616").is_none());
        assert!(Snowflake::parse("12345").is_none());
    }

    #[test]
    fn an_id_has_one_spelling() {
        assert!(Snowflake::parse("1191168914227200000").is_some());
        for other in [
            "01191168914227200000",
            "000000000000000",
            "+191168914227200000",
        ] {
            assert!(Snowflake::parse(other).is_none(), "{other}");
        }
    }
}
