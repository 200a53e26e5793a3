//! Schemas of types that read and write themselves.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::discord::MessageId;
use crate::input::{Bounded, Seconds, Snowflake};
use crate::queue::JobId;

/// As text: 15 to 20 digits, of which 20 may be too many for 64 bits.
pub(super) const SNOWFLAKE: &str = "^[0-9]{15,19}$|^1[0-7][0-9]{18}$";

/// A ULID, in upper case only.
pub(super) const JOB_ID: &str = "^[0-7][0-9A-HJKMNP-TV-Z]{25}$";

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
    MessageId,
    "MessageId",
    json_schema!({ "type": "string", "pattern": "^[0-9]+$" })
);
schema!(
    Seconds,
    "Seconds",
    json_schema!({ "type": "number", "minimum": 0, "maximum": 86_400 })
);

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
