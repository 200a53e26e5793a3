//! The document of all operations.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::{Operation, SchemaOf};
use crate::http::{Access, Method, cookie};

/// The document, complete and in a fixed order.
pub fn document(operations: &[Operation]) -> Value {
    let mut replies = settings().for_serialize().into_generator();
    let mut inputs = settings().for_deserialize();
    // A type may be read in another form than it is written.
    inputs.inline_subschemas = true;
    let mut inputs = inputs.into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations {
        let described = describe(operation, &mut |schema, is_input| match is_input {
            true => schema(&mut inputs).to_value(),
            false => schema(&mut replies).to_value(),
        });
        let path = paths
            .entry(operation.path)
            .or_insert_with(|| Value::Object(Map::new()));
        path[operation.method.as_str().to_lowercase()] = described;
    }
    let mut schemas = replies.take_definitions(true);
    schemas.insert("Problem".to_owned(), problem());
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Trawl",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Finds the video clips in Discord channels.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": { "type": "http", "scheme": "bearer" },
                "session": { "type": "apiKey", "in": "cookie", "name": cookie::NAME },
            },
        },
    });
    join_lines(&mut document);
    document
}

/// A description is a doc comment, whose lines are broken for its file.
fn join_lines(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == "description" => {
                        let paragraphs = text.split("\n\n");
                        let joined: Vec<String> =
                            paragraphs.map(|text| text.replace('\n', " ")).collect();
                        *text = joined.join("\n\n");
                    }
                    _ => join_lines(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(join_lines),
        _ => {}
    }
}

fn settings() -> SchemaSettings {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    settings
}

type Schema<'a> = &'a mut dyn FnMut(SchemaOf, bool) -> Value;

fn describe(operation: &Operation, schema: Schema<'_>) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": parameters(operation, schema),
    });
    if operation.access == Access::Open {
        described["security"] = json!([]);
    } else {
        described["security"] = json!([{ "key": [] }, { "session": [] }]);
    }
    if let Some(body) = operation.body {
        described["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": schema(body, true) } },
        });
    }
    let mut replies = Map::new();
    for reply in &operation.replies {
        let mut described = json!({ "description": reply.description });
        if let Some(body) = reply.body {
            described["content"] = json!({ "application/json": { "schema": schema(body, false) } });
        }
        replies.insert(reply.status.to_string(), described);
    }
    for (status, description) in problems(operation) {
        replies.entry(status.to_string()).or_insert_with(|| {
            json!({
                "description": description,
                "content": {
                    "application/problem+json": {
                        "schema": { "$ref": "#/components/schemas/Problem" },
                    },
                },
            })
        });
    }
    described["responses"] = Value::Object(replies);
    described
}

fn parameters(operation: &Operation, schema: Schema<'_>) -> Vec<Value> {
    let path = schema(operation.path_parameters, true);
    let query = schema(operation.query_parameters, true);
    let path = listed(&path, "path");
    let mut all: Vec<Value> = path.into_iter().chain(listed(&query, "query")).collect();
    if operation.is_conditional {
        all.push(json!({
            "name": "If-Match",
            "in": "header",
            "description": "The `ETag` of an earlier reply: the change is made only to what that showed.",
            "schema": { "type": "string", "pattern": "^(\\*|\"[A-Za-z0-9_-]+\")$" },
        }));
    }
    if is_repeatable(operation) {
        all.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "description": "The same key and body are answered alike for a day.",
            "schema": { "type": "string", "pattern": "^[!-~]{1,255}$" },
        }));
    }
    all
}

/// The fields of a schema as parameters, in their order.
fn listed(schema: &Value, place: &str) -> Vec<Value> {
    let required = schema["required"].as_array();
    let is_required = |name: &str| {
        required.is_some_and(|required| required.iter().any(|required| required == name))
    };
    let fields = schema["properties"].as_object().into_iter().flatten();
    let parameters = fields.map(|(name, schema)| {
        let mut schema = without_null(schema.clone());
        let description = schema.as_object_mut().and_then(|s| s.remove("description"));
        let mut parameter = json!({
            "name": name,
            "in": place,
            "required": is_required(name),
            "schema": schema,
        });
        if let Some(description) = description {
            parameter["description"] = description;
        }
        parameter
    });
    parameters.collect()
}

/// A parameter is left out, never null.
fn without_null(mut schema: Value) -> Value {
    let types = schema.get_mut("type").and_then(Value::as_array_mut);
    let only = types.and_then(|types| {
        types.retain(|kind| kind != "null");
        (types.len() == 1).then(|| types.remove(0))
    });
    if let Some(only) = only {
        schema["type"] = only;
    }
    if let Some(allowed) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        allowed.retain(|value| !value.is_null());
    }
    let rest = schema.get_mut("anyOf").and_then(Value::as_array_mut);
    let only = rest.and_then(|of| {
        of.retain(|one| one["type"] != "null");
        (of.len() == 1).then(|| of.remove(0))
    });
    if let (Some(only), Some(fields)) = (only, schema.as_object_mut()) {
        fields.remove("anyOf");
        for (name, value) in only.as_object().into_iter().flatten() {
            fields.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    if schema.get("default").is_some_and(Value::is_null)
        && let Some(fields) = schema.as_object_mut()
    {
        fields.remove("default");
    }
    schema
}

/// Whether it may be sent under an Idempotency-Key.
fn is_repeatable(operation: &Operation) -> bool {
    operation.method == Method::POST && operation.access != Access::Open
}

fn problems(operation: &Operation) -> Vec<(u16, &'static str)> {
    // Any route refuses a query it does not know, or a header that cannot be read.
    let mut statuses = vec![400, 429, 503];
    if operation.access != Access::Open {
        statuses.extend([401, 403]);
    }
    if operation.body.is_some() {
        statuses.extend([400, 413, 415]);
    }
    if is_repeatable(operation) {
        statuses.extend([400, 409, 422]);
    }
    statuses.extend(&operation.problems);
    statuses.sort_unstable();
    statuses.dedup();
    let described = statuses.into_iter().map(|status| {
        let description = match status {
            400 => "Something is wrong with the request; `detail` names it.",
            401 => "There is no key, or an unknown one.",
            403 => "This needs the admin key, or comes from a page that may not do it.",
            404 => "There is no such resource, or it was removed after its retention time.",
            409 => "The resource is in a state that does not allow this.",
            412 => "The resource has changed since the reply with this `ETag`.",
            413 => "The body is too large.",
            415 => "The body is not JSON.",
            422 => "The Idempotency-Key was used for another request.",
            429 => "Too many requests; `resetAt` says until when.",
            503 => "The database or Discord cannot be reached; try again.",
            _ => "A problem.",
        };
        (status, description)
    });
    described.collect()
}

fn problem() -> Value {
    json!({
        "description": "RFC 9457.",
        "type": "object",
        "required": ["type", "title", "status", "detail", "code", "requestId", "error"],
        "properties": {
            "type": { "type": "string" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "description": "For people.", "type": "string" },
            "code": { "description": "Stable, for programs.", "type": "string" },
            "requestId": { "type": "string" },
            "error": { "description": "The title once more.", "type": "string" },
            "resetAt": { "description": "Unix milliseconds.", "type": "integer" },
        },
    })
}
