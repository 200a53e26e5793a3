//! Reading JSON so that a mistake is answered with the field and what it may be.

mod moment;
mod page;
mod pairs;

use serde::de::{self, Deserialize, DeserializeOwned, Deserializer, IgnoredAny, Visitor};
use serde_json::Value;

pub use moment::Moment;
pub use page::{Limit, PageCursor};
pub use pairs::parse_pairs;

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
        // Where the text is no JSON, that is what is wrong with it, not a field before.
        if let Err(error) = serde_json::from_str::<IgnoredAny>(text)
            && !error.is_data()
        {
            return explain(".", &error);
        }
        let path = error.path().to_string();
        explain(&path, error.inner())
    })?;
    json.end()
        .map_err(|_| "body: expected one JSON value and nothing after it".to_owned())?;
    Ok(value)
}

/// Reads `text`, a JSON object, as `T`, without the fields that `T` does not know. Answers
/// their names as well: they are another program's, and worth a line in the log.
///
/// # Errors
/// As [`parse_object`].
pub fn parse_leniently<T: DeserializeOwned>(text: &str) -> Result<(T, Vec<String>), String> {
    let mut ignored = Vec::new();
    let mut text = text.to_owned();
    loop {
        match parse_object(&text) {
            Ok(value) => return Ok((value, ignored)),
            Err(reason) => match without_unknown(&text, &reason) {
                Some((shorter, name)) => {
                    text = shorter;
                    ignored.push(name);
                }
                None => return Err(reason),
            },
        }
    }
}

/// `text` without the unknown field that `reason` complains of, and that field's path.
fn without_unknown(text: &str, reason: &str) -> Option<(String, String)> {
    let (path, _) = reason.split_once(UNKNOWN)?;
    let mut json: Value = serde_json::from_str(text).ok()?;
    let (parents, name) = path.rsplit_once('.').unwrap_or(("", path));
    let pointer: String = parents
        .split('.')
        .filter(|parent| !parent.is_empty())
        .map(|parent| format!("/{parent}"))
        .collect();
    json.pointer_mut(&pointer)?.as_object_mut()?.remove(name)?;
    Some((json.to_string(), path.to_owned()))
}

/// What is said of a field that nothing reads, behind its name.
const UNKNOWN: &str = ": unknown field";

/// The one of `known` that `name` is most likely meant to be: one that differs in at most
/// a third of its characters.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = |text: &str| text.replace('_', "").to_lowercase();
    let near = |known: &&&str| {
        let (name, known) = (plain(name), plain(known));
        (distance(&name, &known), known.len())
    };
    let best = known.iter().min_by_key(near)?;
    let (away, length) = near(&best);
    (away <= length.max(3) / 3).then_some(*best)
}

/// How many characters must be put in, taken out, replaced or swapped with their neighbour
/// to make one text of the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let replaced = last[j] + usize::from(a[i] != b[j]);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

fn explain(path: &str, error: &serde_json::Error) -> String {
    let place = if path == "." { "body" } else { path };
    if !error.is_data() {
        return format!("body: expected valid JSON, line {}", error.line());
    }
    let text = error.to_string();
    let text = text
        .rsplit_once(" at line ")
        .map_or(&*text, |(text, _)| text);
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
    if let Some(rest) = text.strip_prefix("unknown field `") {
        return unknown_field(path, rest);
    }
    // What was found stands before it, and may be any text.
    let expected = match text.rsplit_once(", expected ") {
        Some((_, expected)) => Some(expected),
        None => text.strip_prefix("expected "),
    };
    match expected {
        Some(expected) => format!("{place}: expected {expected}"),
        None => format!("{place}: {text}"),
    }
}

/// `rest` is serde's own text: the field, and in backticks the ones there are.
fn unknown_field(path: &str, rest: &str) -> String {
    // A name may hold a backtick: the last sentence is serde's.
    let (name, known) = match rest.rsplit_once("`, expected ") {
        Some((name, known)) => (name, known.split('`').skip(1).step_by(2).collect()),
        None => (
            rest.split("`, there are").next().unwrap_or(rest),
            Vec::new(),
        ),
    };
    // The path of an unknown field ends in its own name, or before it.
    let parent = path.strip_suffix(name).unwrap_or(path);
    let parent = match parent.trim_end_matches('.') {
        "" => String::new(),
        parent => format!("{parent}."),
    };
    let hint = match nearest(name, &known) {
        Some(near) => format!("did you mean {near}?"),
        None if known.is_empty() => "there are none here".to_owned(),
        None => format!("expected one of {}", known.join(", ")),
    };
    format!("{parent}{name}{UNKNOWN}; {hint}")
}

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

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    #[allow(dead_code)]
    struct Input {
        channel_id: Snowflake,
        options: Option<Options>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
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
            format!("channelId: expected {}, in quotes", Snowflake::EXPECTED)
        );
        assert_eq!(detail("{"), "body: expected valid JSON, line 1");
        assert_eq!(
            detail(&format!("{{{id}}} x")),
            "body: expected one JSON value and nothing after it"
        );
        assert_eq!(detail("[1]"), "body: expected a JSON object");
    }

    #[test]
    fn an_unknown_field_is_refused_with_the_nearest_known_one() {
        let id = r#""channelId": "1191168914227200000""#;
        let with = |more: &str| detail(&format!("{{{id}, {more}}}"));
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
            "colour: unknown field; expected one of channelId, options"
        );
    }

    #[test]
    fn what_a_caller_sent_is_not_taken_for_words_of_ours() {
        let id = r#""channelId": "1191168914227200000""#;
        let with = |more: &str| detail(&format!("{{{id}, {more}}}"));
        assert_eq!(
            with(r#""options": {"maxMessages": "expected x, expected y at line 5"}"#),
            "options.maxMessages: expected a whole number from 1 to 1000000"
        );
        assert_eq!(
            with(r#""a`b": 1"#),
            "a`b: unknown field; expected one of channelId, options"
        );
    }

    #[test]
    fn another_program_s_unknown_fields_are_left_out_and_named() {
        let text = r#"{"channelId": "1191168914227200000", "colour": 1,
            "options": {"maxMesages": 5, "maxMessages": 6}}"#;
        let (input, mut ignored) = parse_leniently::<Input>(text).unwrap();
        ignored.sort();
        assert_eq!(ignored, ["colour", "options.maxMesages"]);
        assert_eq!(input.options.unwrap().max_messages, Some(Bounded(6)));
        let wrong = parse_leniently::<Input>(r#"{"colour": 1, "channelId": "0"}"#);
        assert_eq!(
            wrong.unwrap_err(),
            format!("channelId: expected {}, in quotes", Snowflake::EXPECTED)
        );
    }

    #[test]
    fn the_nearest_name_is_one_that_could_be_meant() {
        let known = ["minVideoSeconds", "includeThreads", "priority"];
        assert_eq!(nearest("minVideoSecond", &known), Some("minVideoSeconds"));
        assert_eq!(nearest("pirority", &known), Some("priority"));
        assert_eq!(nearest("include_threads", &known), Some("includeThreads"));
        assert_eq!(nearest("x", &known), None);
        assert_eq!(nearest("", &[]), None);
    }

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
