//! The ids of clips.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use shared::http::Snowflake;
use shared::openapi::SNOWFLAKE;

/// The id of an attachment, or of a link: `e` and 16 digits.
pub struct ClipId(pub String);

impl ClipId {
    pub fn is_one(text: &str) -> bool {
        let is_hex = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_link = text
            .strip_prefix('e')
            .is_some_and(|hash| hash.len() == 16 && hash.bytes().all(is_hex));
        is_link || Snowflake::parse(text).is_some()
    }
}

impl<'de> Deserialize<'de> for ClipId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match ClipId::is_one(&text) {
            true => Ok(ClipId(text)),
            false => Err(serde::de::Error::custom("expected the id of a clip")),
        }
    }
}

impl JsonSchema for ClipId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ClipId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let pattern = format!("^e[0-9a-f]{{16}}$|{SNOWFLAKE}");
        json_schema!({ "type": "string", "pattern": pattern })
    }
}
