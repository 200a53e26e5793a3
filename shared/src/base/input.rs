//! Decodes what a caller sent, and reports every error in it at once.
//!
//! A type's `Deserialize` says what it accepts, and its JSON schema describes that to callers.
//! `decode` reads a value into the type and continues after an error. The result of a failure
//! is an [`Invalid`]: a list of [`FieldError`]s in the terms of JSON.
//!
//! | file | holds |
//! |---|---|
//! | `json` | a JSON text as a tree that keeps what `serde_json::Value` drops: order and repeated names |
//! | `decode`, `access`, `node`, `findings` | the deserializer that collects errors |
//! | `invalid` | the errors, with their places |
//! | `pairs` | the parameters of a path or a query |
//! | `values`, `moment`, `page` | types for single values |
//! | `nearest` | suggestions for misspelt names |

mod access;
mod decode;
mod findings;
mod invalid;
mod json;
mod moment;
mod nearest;
mod node;
mod page;
mod pairs;
mod values;

use serde::de::DeserializeOwned;

use decode::decode;
pub use invalid::{FieldCode, FieldError, Invalid, Place, pointer};
use json::Json;
pub use json::canonical;
pub use moment::Moment;
pub use nearest::nearest;
use node::Input;
pub use page::{Limit, PageCursor};
pub use pairs::parse_pairs;
pub use values::{Bounded, Seconds, Snowflake};

/// Reads `text`, a JSON object, as `T`.
///
/// # Errors
/// All errors in it.
pub fn parse_object<T: DeserializeOwned>(text: &str) -> Result<T, Invalid> {
    let json = Json::parse(text)?;
    match json {
        Json::Object(_) => read(&json),
        _ => Err(FieldError::body(FieldCode::WrongType, "expected a JSON object").into()),
    }
}

/// Reads `text` as `T`.
///
/// # Errors
/// As [`parse_object`].
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Invalid> {
    read(&Json::parse(text)?)
}

/// Reads `text` as one `T`, or as several if it is an array.
///
/// # Errors
/// As [`parse_object`], for `text` or any of its items. An array may have 1 to `most` items.
pub fn parse_one_or_many<T: DeserializeOwned>(
    text: &str,
    most: usize,
) -> Result<OneOrMany<T>, Invalid> {
    let json = Json::parse(text)?;
    match &json {
        // Before the items: the errors of too many would hide that there are too many.
        Json::Array(items) if items.is_empty() || items.len() > most => {
            let detail = format!(
                "expected an array of 1 to {most} objects; this one has {}",
                items.len()
            );
            Err(FieldError::body(FieldCode::OutOfRange, detail).into())
        }
        Json::Array(_) => read(&json).map(OneOrMany::Many),
        Json::Object(_) => read(&json).map(OneOrMany::One),
        _ => {
            let expected = "expected a JSON object, or an array of them";
            Err(FieldError::body(FieldCode::WrongType, expected).into())
        }
    }
}

/// An object, or an array of them.
pub enum OneOrMany<T> {
    /// An object.
    One(T),
    /// An array.
    Many(Vec<T>),
}

/// Reads `text`, a JSON object, as `T`, and ignores fields that `T` does not know. Also returns
/// their names, so that they can be logged.
///
/// # Errors
/// As [`parse_object`].
pub fn parse_leniently<T: DeserializeOwned>(text: &str) -> Result<(T, Vec<String>), Invalid> {
    let json = Json::parse(text)?;
    match json {
        Json::Object(_) => decode(Input::Json(&json), true),
        _ => Err(FieldError::body(FieldCode::WrongType, "expected a JSON object").into()),
    }
}

fn read<T: DeserializeOwned>(json: &Json) -> Result<T, Invalid> {
    decode(Input::Json(json), false).map(|(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    #[allow(dead_code)]
    struct Input {
        #[serde(alias = "channel_id")]
        channel_id: Snowflake,
        name: String,
        options: Option<Options>,
        ids: Option<Vec<Snowflake>>,
        mode: Option<Mode>,
        count: Option<u64>,
        keep: Option<bool>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    #[allow(dead_code)]
    struct Options {
        max_messages: Option<Bounded<1, 1_000_000>>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Mode {
        Forward,
        Backfill,
    }

    const WHOLE: &str = r#""channelId": "1191168914227200000", "name": "a""#;

    fn wrong(text: &str) -> Vec<FieldError> {
        parse_object::<Input>(text).unwrap_err().into_errors()
    }

    fn detail(text: &str) -> String {
        parse_object::<Input>(text).unwrap_err().to_string()
    }

    fn with(more: &str) -> String {
        detail(&format!("{{{WHOLE}, {more}}}"))
    }

    #[test]
    fn a_mistake_is_answered_with_the_field_and_what_it_may_be() {
        let number = "options.maxMessages: expected a whole number from 1 to 1000000";
        for (value, code) in [
            ("\"many\"", FieldCode::WrongType),
            ("0", FieldCode::OutOfRange),
            ("1000001", FieldCode::OutOfRange),
            ("-1", FieldCode::OutOfRange),
            ("1.5", FieldCode::WrongType),
            ("[]", FieldCode::WrongType),
            ("true", FieldCode::WrongType),
        ] {
            let text = format!(r#"{{{WHOLE}, "options": {{"maxMessages": {value}}}}}"#);
            let wrong = wrong(&text);
            assert_eq!(wrong[0].to_string(), number, "{value}");
            assert_eq!((wrong.len(), wrong[0].code), (1, code), "{value}");
        }
        assert_eq!(
            detail(r#"{"name": "a", "channelId": 5}"#),
            format!("channelId: expected {}, in quotes", Snowflake::EXPECTED)
        );
        assert_eq!(
            detail(&format!("{{{WHOLE}}} x")),
            "body: expected valid JSON; there is a syntax error at line 1, column 51"
        );
        assert_eq!(detail("[1]"), "body: expected a JSON object");
    }

    #[test]
    fn nothing_is_called_by_the_name_rust_has_for_it() {
        for (more, expected) in [
            (r#""options": 5"#, "options: expected an object"),
            (r#""options": []"#, "options: expected an object"),
            (r#""ids": {}"#, "ids: expected an array"),
            (r#""mode": 5"#, "mode: expected `forward` or `backfill`"),
            (
                r#""mode": "both""#,
                "mode: expected `forward` or `backfill`",
            ),
            (r#""count": "5""#, "count: expected a whole number"),
            (r#""keep": 1"#, "keep: expected `true` or `false`"),
        ] {
            assert_eq!(with(more), expected);
        }
        assert!(with(r#""count": -5"#).starts_with("count: expected a whole number"));
        let name = detail(r#"{"channelId": "1191168914227200000", "name": 5}"#);
        assert_eq!(name, "name: expected a string");
    }

    #[test]
    fn all_mistakes_are_found_in_one_reading() {
        let text = r#"{
            "colour": "blue", "channelId": "0", "optoins": {}, "keep": "yes",
            "options": {"maxMessages": 0, "most": 1},
            "ids": ["1191168914227200000", "x", 5], "keep": true
        }"#;
        let mut found: Vec<(String, &str)> = wrong(text)
            .iter()
            .map(|error| (error.place.to_string(), error.code.name()))
            .collect();
        found.sort();
        let expected = [
            ("channelId", "invalid"),
            ("colour", "unknown_field"),
            ("ids[1]", "invalid"),
            ("ids[2]", "wrong_type"),
            ("keep", "duplicate_field"),
            ("keep", "wrong_type"),
            ("name", "missing_field"),
            ("options.maxMessages", "out_of_range"),
            ("options.most", "unknown_field"),
            ("optoins", "unknown_field"),
        ];
        assert_eq!(found, expected.map(|(name, code)| (name.to_owned(), code)));
        let missing: Vec<String> = wrong("{}").iter().map(ToString::to_string).collect();
        assert_eq!(missing, ["channelId: required", "name: required"]);
    }

    #[test]
    fn a_body_of_mistakes_is_answered_in_bounded_time_and_size() {
        let ids = vec!["\"0\""; 60_000].join(",");
        let names: Vec<String> = (0..20_000).map(|n| format!("\"{n}\":1")).collect();
        for more in [format!("\"ids\": [{ids}]"), names.join(",")] {
            let wrong = wrong(&format!("{{{WHOLE}, {more}}}"));
            assert_eq!(wrong.len(), 100);
        }
        let name = "x".repeat(200_000);
        let wrong = wrong(&format!("{{{WHOLE}, \"{name}\": 1}}"));
        assert!(wrong[0].to_string().len() < 300);
    }

    #[test]
    fn a_field_that_is_sent_twice_is_refused_in_either_spelling() {
        assert_eq!(with(r#""name": "b""#), "name: expected this field once");
        assert_eq!(
            with(r#""channel_id": "1191168914227200000""#),
            "channel_id: expected this field once"
        );
    }

    #[test]
    fn an_unknown_field_is_refused_with_the_nearest_known_one() {
        assert_eq!(
            with(r#""options": {"maxMesages": 5}"#),
            "options.maxMesages: unknown field; did you mean maxMessages?"
        );
        assert_eq!(
            with(r#""Channel_ID": 1"#),
            "Channel_ID: unknown field; did you mean channelId?"
        );
        assert_eq!(
            with(r#""colour": "blue""#),
            "colour: unknown field; expected one of channelId, name, options, ids, mode, count, keep"
        );
    }

    #[test]
    fn what_a_caller_sent_is_not_taken_for_words_of_ours() {
        assert_eq!(
            with(r#""options": {"maxMessages": "expected x, expected y at line 5"}"#),
            "options.maxMessages: expected a whole number from 1 to 1000000"
        );
        assert!(with(r#""a`b": 1"#).starts_with("a`b: unknown field; expected one of channelId, "));
    }

    #[test]
    fn another_program_s_unknown_fields_are_left_out_and_named() {
        let text = format!(
            r#"{{{WHOLE}, "colour": 1, "options": {{"maxMesages": 5, "maxMessages": 6}}}}"#
        );
        let (input, mut ignored) = parse_leniently::<Input>(&text).unwrap();
        ignored.sort();
        assert_eq!(ignored, ["colour", "options.maxMesages"]);
        let most = input.options.unwrap().max_messages;
        assert_eq!(most.map(Bounded::get), Some(6));
        let wrong = parse_leniently::<Input>(r#"{"colour": 1, "name": "a", "channelId": "0"}"#);
        assert_eq!(
            wrong.unwrap_err().to_string(),
            format!("channelId: expected {}, in quotes", Snowflake::EXPECTED)
        );
    }

    #[test]
    fn an_array_names_the_place_of_each_mistake() {
        let text = format!(r#"[{{{WHOLE}}}, {{{WHOLE}, "keep": 0}}, 5]"#);
        let Err(wrong) = parse_one_or_many::<Input>(&text, 100) else {
            panic!("it is wrong");
        };
        let texts: Vec<String> = wrong.errors().iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "[1].keep: expected `true` or `false`",
                "[2]: expected an object"
            ]
        );
    }
}
