//! A point in time in a request.

use chrono::DateTime;
use serde::de::{self, Deserialize, Deserializer, Visitor};

/// The smallest number accepted as unix milliseconds, a day in 2001. A smaller number is most
/// likely in unix seconds.
const FIRST: i64 = 1_000_000_000_000;

/// The largest whole number that JavaScript can represent exactly.
const LAST: i64 = 9_007_199_254_740_991;

const EXPECTED: &str = "unix milliseconds, or a time such as 2026-12-01T08:30:00Z";

/// A moment: unix milliseconds, or a time as RFC 3339 writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(i64);

impl Moment {
    /// What may stand in its place.
    pub const EXPECTED: &'static str = EXPECTED;

    /// In unix milliseconds.
    pub fn ms(self) -> i64 {
        self.0
    }

    /// Parses a query parameter.
    pub fn parse(text: &str) -> Option<Moment> {
        match text.parse() {
            Ok(ms) => Moment::of_ms(ms),
            Err(_) => Moment::of_text(text),
        }
    }

    fn of_ms(ms: i64) -> Option<Moment> {
        (FIRST..=LAST).contains(&ms).then_some(Moment(ms))
    }

    fn of_text(text: &str) -> Option<Moment> {
        let time = DateTime::parse_from_rfc3339(text).ok()?;
        Moment::of_ms(time.timestamp_millis())
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Time;
        impl Visitor<'_> for Time {
            type Value = Moment;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(EXPECTED)
            }

            fn visit_i64<E: de::Error>(self, ms: i64) -> Result<Moment, E> {
                Moment::of_ms(ms).ok_or_else(|| match ms {
                    // Seconds from 2001 on.
                    1_000_000_000..FIRST => E::custom(format!(
                        "expected {EXPECTED}; {ms} looks like seconds: send {ms}000"
                    )),
                    _ => E::custom(format!("expected {EXPECTED}")),
                })
            }

            fn visit_u64<E: de::Error>(self, ms: u64) -> Result<Moment, E> {
                self.visit_i64(i64::try_from(ms).unwrap_or(i64::MAX))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Moment, E> {
                Moment::of_text(text).ok_or_else(|| E::custom(format!("expected {EXPECTED}")))
            }
        }
        deserializer.deserialize_any(Time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<i64, String> {
        let moment: Result<Moment, _> = serde_json::from_str(json);
        moment.map(Moment::ms).map_err(|error| error.to_string())
    }

    #[test]
    fn a_moment_is_milliseconds_or_rfc_3339() {
        assert_eq!(read("1800000000000"), Ok(1_800_000_000_000));
        for text in [
            "2027-01-15T08:00:00Z",
            "2027-01-15T09:00:00+01:00",
            "2027-01-15T08:00:00.000Z",
        ] {
            assert_eq!(
                read(&format!("\"{text}\"")),
                Ok(1_800_000_000_000),
                "{text}"
            );
            assert_eq!(Moment::parse(text), Some(Moment(1_800_000_000_000)));
        }
        assert_eq!(
            Moment::parse("1800000000000"),
            Some(Moment(1_800_000_000_000))
        );
    }

    #[test]
    fn seconds_are_not_taken_for_milliseconds() {
        let error = read("1800000000").unwrap_err();
        assert!(
            error.contains("looks like seconds: send 1800000000000"),
            "{error}"
        );
        for wrong in [
            "0",
            "-1",
            "5",
            "999999999999",
            "1.8e12",
            "9007199254740992",
            "null",
            "true",
            "\"tomorrow\"",
            "\"1800000000000\"",
            "\"2027-01-15\"",
            "\"2027-01-15T08:00:00\"",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Moment::parse("1800000000"), None);
    }
}
