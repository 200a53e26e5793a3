//! Schemas of types that read and write themselves.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::discord::MessageId;
use crate::input::{Bounded, Limit, Moment, PageCursor, Seconds, Snowflake};
use crate::progress::Cursor;
use crate::queue::JobId;

/// As text: 15 to 20 digits, of which 20 may be too many for 64 bits. (The last tenth of the
/// ids of 64 bits is left out: Discord's clock gets there in the year 2150.)
pub const SNOWFLAKE: &str = "^[1-9][0-9]{14,18}$|^1[0-7][0-9]{18}$";

/// A ULID, in upper case only.
const JOB_ID: &str = "^[0-7][0-9A-HJKMNP-TV-Z]{25}$";

macro_rules! schema {
    ($type:ty, $name:literal, $schema:expr) => {
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

schema!(
    JobId,
    "JobId",
    json_schema!({ "type": "string", "pattern": JOB_ID })
);
schema!(
    Snowflake,
    "Snowflake",
    json_schema!({ "type": "string", "pattern": SNOWFLAKE })
);
schema!(
    Moment,
    "Moment",
    json_schema!({
        "description": "Unix milliseconds, or a time as RFC 3339 writes it.",
        "oneOf": [
            { "type": "integer", "minimum": 1_000_000_000_000_i64, "maximum": 9_007_199_254_740_991_i64 },
            { "type": "string", "format": "date-time" },
        ],
    })
);
schema!(
    MessageId,
    "MessageId",
    json_schema!({ "type": "string", "pattern": "^[0-9]+$" })
);
schema!(
    Seconds,
    "Seconds",
    json_schema!({ "type": "number", "minimum": 0, "maximum": 86_400 })
);

schema!(
    PageCursor,
    "PageCursor",
    json_schema!({
        "description": "The `cursor` of an earlier reply. Without it, or when it is empty, the first page.",
        "type": "string",
    })
);
schema!(
    Cursor,
    "EventCursor",
    json_schema!({ "type": "string", "pattern": "^(0|[0-9]{1,15}-[0-9]{1,15})$" })
);

impl<const DEFAULT: u64, const MOST: u64> JsonSchema for Limit<DEFAULT, MOST> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("LimitTo{MOST}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How many at most.",
            "type": "integer",
            "minimum": 1,
            "maximum": MOST,
            "default": DEFAULT,
        })
    }
}

impl<const MIN: u64, const MAX: u64> JsonSchema for Bounded<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("From{MIN}To{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}
