//! Reads pairs of names and texts, such as query or path parameters, into a type.
//!
//! The fields of the type are the allowed names, and their types say what each value may be. The
//! JSON schema of the type describes both to callers.

use serde::de::DeserializeOwned;

use super::Invalid;
use super::decode::decode;
use super::node::Input;

/// Reads `pairs` into the struct `T`, or into `()` if no parameters are allowed.
///
/// # Errors
/// All errors. An unknown name comes with the nearest known one.
pub fn parse_pairs<T: DeserializeOwned>(pairs: &[(&str, &str)]) -> Result<T, Invalid> {
    decode(Input::Pairs(pairs), false).map(|(value, _)| value)
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
        parse_pairs::<Query>(&[(name, text)])
            .unwrap_err()
            .to_string()
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
            twice.unwrap_err().to_string(),
            "limit: expected this query parameter once"
        );
        assert_eq!(
            parse_pairs::<()>(&[("x", "")]).unwrap_err().to_string(),
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
        let missing = parse_pairs::<Needed>(&[]).unwrap_err();
        assert_eq!(missing.to_string(), "name: required");
    }

    #[test]
    fn all_mistakes_are_found_in_one_reading() {
        let pairs = [
            ("limit", "0"),
            ("purge", "perhaps"),
            ("colour", "1"),
            ("limit", "5"),
            ("channelId", "5"),
        ];
        let wrong = parse_pairs::<Query>(&pairs).unwrap_err();
        let mut found: Vec<(String, &str)> = wrong
            .errors()
            .iter()
            .map(|error| (error.place.to_string(), error.code.name()))
            .collect();
        found.sort();
        let expected = [
            ("channelId", "invalid"),
            ("colour", "unknown_field"),
            ("limit", "duplicate_field"),
            ("limit", "out_of_range"),
            ("purge", "invalid"),
        ];
        assert_eq!(found, expected.map(|(name, code)| (name.to_owned(), code)));
    }
}
