//! Which clips a request selects: as the query of the list and the body of an export.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de;
use serde::{Deserialize, Deserializer, Serialize};
use shared::http::{FieldCode, FieldError, Snowflake};
use shared::openapi::SNOWFLAKE;
use shared::scan::words;

/// Most channels that a request may name.
const MOST_CHANNELS: usize = 20;

/// Defines a type with the fields that select clips, and others. `Clips` turns the fields
/// into a filter.
macro_rules! selection {
    ($(#[$meta:meta])* $name:ident, $channels:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        pub struct $name {
            /// Only clips in these channels and threads, at most 20.
            channel_id: Option<$crate::filter::$channels>,
            /// Only clips in messages that this user wrote.
            author_id: Option<shared::http::Snowflake>,
            /// Only clips with all of these words in the message, the title or the file's
            /// name. A word is whole, of at least two letters or digits; capitals make no
            /// difference. Only the first twelve words of a clip are known.
            text: Option<$crate::filter::Words>,
            /// Only clips found in this part of a message.
            source: Option<shared::scan::ClipSource>,
            /// Only links to players of this provider, such as `youtube`; capitals make no
            /// difference.
            provider: Option<$crate::filter::Provider>,
            /// Only clips of at least this length, in seconds. Clips of unknown length are
            /// kept, since they may be long enough; see `unknownLength`.
            min_seconds: Option<shared::http::Seconds>,
            /// Only clips of at most this length, in seconds. Clips of unknown length are
            /// kept, since they may be short enough; see `unknownLength`.
            max_seconds: Option<shared::http::Seconds>,
            /// Whether clips of unknown length are kept (`keep`) or left out (`omit`).
            #[serde(default)]
            unknown_length: $crate::filter::UnknownLength,
            /// Only clips posted after this time: unix milliseconds or RFC 3339.
            after: Option<shared::http::Moment>,
            /// Only clips posted before this time: unix milliseconds or RFC 3339.
            before: Option<shared::http::Moment>,
            /// Only clips that are marked as spoilers (`true`), or that are not (`false`).
            spoiler: Option<bool>,
            /// Only clips that were recorded with Discord's Clips (`true`), or that were not
            /// (`false`).
            is_clip: Option<bool>,
            /// The order. `longest` leaves out clips of unknown length.
            #[serde(default)]
            sort: shared::scan::ClipOrder,
            $($(#[$field_meta])* $field: $type,)*
        }

        impl $name {
            /// The filter that the fields describe.
            ///
            /// # Errors
            /// The name of a field that contradicts another, and what it may be.
            fn filter(&self) -> Result<shared::scan::ClipFilter, (&'static str, &'static str)> {
                use shared::http::{Moment, Seconds, Snowflake};
                let filter = shared::scan::ClipFilter {
                    channel_ids: self.channel_id.as_ref().map_or(Vec::new(), |ids| ids.ids()),
                    author_id: self.author_id.as_ref().map(Snowflake::as_str).map(str::to_owned),
                    text: self.text.as_ref().map(|words| words.0.join(" ")),
                    source: self.source,
                    provider: self.provider.as_ref().map(|provider| provider.0.clone()),
                    min_seconds: self.min_seconds.map(Seconds::get),
                    max_seconds: self.max_seconds.map(Seconds::get),
                    known_length: self.unknown_length == $crate::filter::UnknownLength::Omit,
                    after: self.after.map(Moment::ms),
                    before: self.before.map(Moment::ms),
                    spoiler: self.spoiler,
                    is_clip: self.is_clip,
                    sort: self.sort,
                };
                if let (Some(least), Some(most)) = (filter.min_seconds, filter.max_seconds)
                    && least > most
                {
                    return Err(("maxSeconds", "expected at least `minSeconds`"));
                }
                if let (Some(after), Some(before)) = (filter.after, filter.before)
                    && after >= before
                {
                    return Err(("before", "expected a time later than `after`"));
                }
                Ok(filter)
            }
        }
    };
}
pub(crate) use selection;

/// The error of a parameter that contradicts another.
pub fn wrong_parameter((name, expected): (&'static str, &'static str)) -> FieldError {
    FieldError::parameter(name, FieldCode::Invalid, expected)
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum UnknownLength {
    #[default]
    Keep,
    Omit,
}

/// The ids of channels, separated by commas.
pub struct ChannelText(Vec<Snowflake>);

/// The ids of channels.
pub struct ChannelList(Vec<Snowflake>);

fn distinct(ids: &[Snowflake]) -> Vec<String> {
    let mut ids: Vec<String> = ids.iter().map(|id| id.as_str().to_owned()).collect();
    ids.sort();
    ids.dedup();
    ids
}

impl ChannelText {
    pub fn ids(&self) -> Vec<String> {
        distinct(&self.0)
    }
}

impl ChannelList {
    pub fn ids(&self) -> Vec<String> {
        distinct(&self.0)
    }
}

impl<'de> Deserialize<'de> for ChannelText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let ids: Option<Vec<Snowflake>> = text.split(',').map(Snowflake::parse).collect();
        let ids = ids.filter(|ids| ids.len() <= MOST_CHANNELS);
        ids.map(ChannelText).ok_or_else(|| {
            let expected = Snowflake::EXPECTED;
            de::Error::custom(format!(
                "expected {expected}, or up to {MOST_CHANNELS} of them, separated by commas"
            ))
        })
    }
}

impl<'de> Deserialize<'de> for ChannelList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ids: Vec<Snowflake> = Vec::deserialize(deserializer)?;
        match (1..=MOST_CHANNELS).contains(&ids.len()) {
            true => Ok(ChannelList(ids)),
            false => Err(de::Error::custom(format!(
                "expected an array of 1 to {MOST_CHANNELS} ids"
            ))),
        }
    }
}

fn channels_schema() -> Schema {
    let id = json_schema!({ "type": "string", "pattern": SNOWFLAKE });
    json_schema!({ "type": "array", "items": id, "minItems": 1, "maxItems": MOST_CHANNELS })
}

impl JsonSchema for ChannelText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ChannelText".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        channels_schema()
    }
}

impl JsonSchema for ChannelList {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ChannelList".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        channels_schema()
    }
}

/// Text to look for, as its words.
pub struct Words(pub Vec<String>);

impl Words {
    const EXPECTED: &'static str = "1 to 200 characters with at least one word of 2 to 24 letters or digits, other than the \
         ending of a file's name, such as `mp4`";
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let words: Vec<String> = words(&text).collect();
        match text.chars().count() <= 200 && !words.is_empty() {
            true => Ok(Words(words)),
            false => Err(de::Error::custom(format!("expected {}", Self::EXPECTED))),
        }
    }
}

impl JsonSchema for Words {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Words".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 2, "maxLength": 200 })
    }
}

/// The name of a provider, in lower case.
pub struct Provider(pub String);

impl<'de> Deserialize<'de> for Provider {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let is_name =
            (1..=64).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        match is_name {
            true => Ok(Provider(text.to_lowercase())),
            false => Err(de::Error::custom("expected 1 to 64 characters")),
        }
    }
}

impl JsonSchema for Provider {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Provider".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": 64 })
    }
}
