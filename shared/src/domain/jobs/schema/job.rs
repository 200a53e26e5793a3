//! A job by its type.

use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::kind::{Batch, Cancel, Export, Guild, Import, Kind, Message, Notice, Rescan, Scan};
use super::union::{Union, object_of, set_field, set_type};
use crate::queue::{FOREIGN, Job};
use crate::scan::ScanProgress;

/// The schema of a [`Job`], whose `data`, `progress` and `returnvalue` depend on its type.
pub struct TypedJob;

impl JsonSchema for TypedJob {
    fn schema_name() -> Cow<'static, str> {
        "Job".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Union::new(generator)
            .or::<JobOf<Scan>>(Scan::kind().name)
            .or::<JobOf<Batch>>(Batch::kind().name)
            .or::<JobOf<Rescan>>(Rescan::kind().name)
            .or::<JobOf<Message>>(Message::kind().name)
            .or::<JobOf<Export>>(Export::kind().name)
            .or::<JobOf<Guild>>(Guild::kind().name)
            .or::<JobOf<Cancel>>(Cancel::kind().name)
            .or::<JobOf<Import>>(Import::kind().name)
            .or::<JobOf<Notice>>(Notice::kind().name)
            .or::<ForeignJob>(FOREIGN)
            .described("A job. `type` decides what `data` and `returnvalue` hold.")
    }
}

struct JobOf<K>(PhantomData<K>);

impl<K: Kind> JsonSchema for JobOf<K> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}Job", K::TITLE).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = object_of::<Job>(generator);
        set_type(&mut schema, K::kind().name);
        let data = generator.subschema_for::<ArgumentsOf<K>>();
        set_field(&mut schema, "data", data.to_value());
        let progress = generator.subschema_for::<ScanProgress>();
        set_field(&mut schema, "progress", or_null(&progress));
        let result = generator.subschema_for::<K::Result>();
        set_field(&mut schema, "returnvalue", or_null(&result));
        schema.insert("description".to_owned(), K::DESCRIPTION.into());
        schema
    }
}

/// The failed job that holds an entry of the stream that is no job.
struct ForeignJob;

impl JsonSchema for ForeignJob {
    fn schema_name() -> Cow<'static, str> {
        "ForeignJob".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = object_of::<Job>(generator);
        set_type(&mut schema, FOREIGN);
        let text = json!({ "type": "string" });
        let fields = json!({ "type": "object", "additionalProperties": text });
        // Text where even the names of the fields are too long to be kept.
        set_field(&mut schema, "data", json!({ "anyOf": [fields, text] }));
        // Always null. Some clients lose a field that can be nothing else.
        let progress = generator.subschema_for::<ScanProgress>();
        set_field(&mut schema, "progress", or_null(&progress));
        set_field(
            &mut schema,
            "returnvalue",
            json!({ "type": ["object", "null"] }),
        );
        let description = "An entry that another program added to the stream and that is no job. It is kept as a failed job: `data` holds its fields, `failedReason` says what is wrong with it.";
        schema.insert("description".to_owned(), description.into());
        schema
    }
}

struct ArgumentsOf<K>(PhantomData<K>);

impl<K: Kind> JsonSchema for ArgumentsOf<K> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}Arguments", K::TITLE).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = object_of::<K::Arguments>(generator);
        K::remove_others_fields(&mut schema);
        let description = format!("The arguments of a job of type `{}`.", K::kind().name);
        schema.insert("description".to_owned(), description.into());
        schema
    }
}

fn or_null(schema: &Schema) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}
