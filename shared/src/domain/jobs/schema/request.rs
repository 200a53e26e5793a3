//! A requested job by its type.

use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::json;

use super::kind::{Batch, Kind, Message, Rescan, Scan};
use super::union::{Union, object_of, require_field, set_field, set_type};
use crate::jobs::{JobRequest, MessageScan};

/// The schema of a [`JobRequest`], whose fields depend on its type.
pub struct TypedJobRequest;

impl JsonSchema for TypedJobRequest {
    fn schema_name() -> Cow<'static, str> {
        "JobRequest".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Union::new(generator)
            .or::<Requested<Scan>>(Scan::kind().name)
            .or::<Requested<Batch>>(Batch::kind().name)
            .or::<Requested<Rescan>>(Rescan::kind().name)
            .or::<Requested<Message>>(Message::kind().name)
            .described("A job to create. `type` decides which other fields there are.")
    }
}

struct Requested<K>(PhantomData<K>);

impl<K: Kind> JsonSchema for Requested<K> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}JobRequest", K::TITLE).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = object_of::<JobRequest>(generator);
        K::remove_others_fields(&mut schema);
        set_type(&mut schema, K::kind().name);
        if K::kind().reads.contains(&"messageIds") {
            let id = generator.subschema_for::<crate::input::Snowflake>();
            let ids = json!({ "type": "array", "items": id, "minItems": 1, "maxItems": MessageScan::MOST });
            set_field(&mut schema, "messageIds", ids);
            require_field(&mut schema, "messageIds");
        }
        schema.insert("description".to_owned(), K::DESCRIPTION.into());
        schema
    }
}
