//! The document of all operations.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::components::{self, ALWAYS, SOMETIMES};
use super::example::{self, Exchange, Succeeded};
use super::operation::{Answer, Operation};
use super::parameters::parameters;
use super::plain;
use super::tag::tags;

const DESCRIPTION: &str = "\
Trawl finds the video clips in Discord channels. A request creates a job, which scans a channel \
in the background; other requests follow the scan and list the clips it found.

Bodies are JSON with `camelCase` fields. Times are unix milliseconds in replies; requests may \
also give them as RFC 3339 text. Ids of Discord are strings, because they do not fit into the \
numbers of JavaScript. A request with a field or a query parameter that is not known is refused.

Every refused or failed request is answered with a `Problem`. Every reply says in its headers \
what is left of the caller's rate limit, except replies that API Gateway gives itself.";

/// The document, complete and in a fixed order, with `exchanges` as its examples.
pub fn document(operations: &[Operation], exchanges: &[Exchange]) -> Value {
    let mut schemas = Schemas::new();
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations {
        let described = describe(operation, &mut schemas, exchanges);
        let path = paths
            .entry(operation.path)
            .or_insert_with(|| Value::Object(Map::new()));
        path[operation.method.as_str().to_lowercase()] = described;
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Trawl",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Finds the video clips in Discord channels.",
            "description": DESCRIPTION,
            "contact": { "name": "The operators of this deployment" },
            "license": { "name": "MIT or Apache 2.0", "identifier": env!("CARGO_PKG_LICENSE") },
        },
        "servers": servers(),
        "tags": tags(),
        "paths": paths,
        "components": {
            "schemas": schemas.take(),
            "headers": components::headers(),
            "parameters": components::parameters(),
            "responses": components::responses(|status| example::problems(status, exchanges)),
            "securitySchemes": components::security_schemes(),
        },
    });
    plain::tidy(&mut document);
    document
}

fn servers() -> Value {
    json!([
        {
            "url": "http://127.0.0.1:3000",
            "description": "The development host, which `cargo run -p dev` starts.",
        },
        {
            "url": "https://{apiId}.execute-api.{region}.amazonaws.com",
            "description": "A deployment. Its address is the output `ApiUrl` of the stack.",
            "variables": {
                "apiId": {
                    "default": "abcdefghij",
                    "description": "The id of the deployment's HTTP API in API Gateway.",
                },
                "region": {
                    "default": "us-east-1",
                    "description": "The AWS region of the deployment.",
                },
            },
        },
    ])
}

/// The schemas of types. A type may be read in another form than it is written, so there is
/// a generator for each way.
struct Schemas {
    replies: SchemaGenerator,
    bodies: SchemaGenerator,
    /// Without references: the fields become parameters.
    parameters: SchemaGenerator,
}

impl Schemas {
    fn new() -> Schemas {
        let mut inlined = settings();
        inlined.inline_subschemas = true;
        Schemas {
            replies: settings().for_serialize().into_generator(),
            bodies: settings().for_deserialize().into_generator(),
            parameters: inlined.for_deserialize().into_generator(),
        }
    }

    /// The schemas that references lead to.
    fn take(&mut self) -> Map<String, Value> {
        let mut all = self.replies.take_definitions(true);
        all.values_mut().for_each(plain::omit_nulls);
        for (name, schema) in self.bodies.take_definitions(true) {
            if let Some(other) = all.insert(name.clone(), schema.clone()) {
                assert_eq!(other, schema, "two types are called {name}: rename one");
            }
        }
        all.insert("Problem".to_owned(), components::problem_schema());
        all.insert("FieldError".to_owned(), components::field_error_schema());
        all
    }
}

fn settings() -> SchemaSettings {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    settings
}

fn describe(operation: &Operation, schemas: &mut Schemas, exchanges: &[Exchange]) -> Value {
    let key = format!("{} {}", operation.method, operation.path);
    let succeeded = Succeeded::of(&key, exchanges);
    let path = (operation.path_parameters)(&mut schemas.parameters).to_value();
    let query = (operation.query_parameters)(&mut schemas.parameters).to_value();
    let mut parameters = parameters(operation, &path, &query);
    for parameter in &mut parameters {
        let sent = parameter["name"].as_str();
        if let Some(sent) = sent.and_then(|name| succeeded.parameter(name)) {
            parameter["example"] = example_of(sent, &parameter["schema"]);
        }
    }
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": operation.tag.iter().map(|tag| tag.name).collect::<Vec<_>>(),
        "security": components::security(operation),
        "parameters": parameters,
    });
    if let Some(description) = operation.description {
        described["description"] = description.into();
    }
    if let Some(body) = operation.body {
        let schema = body(&mut schemas.bodies).to_value();
        described["requestBody"] = json!({
            "required": true,
            "content": json_content(schema, succeeded.requests()),
        });
    }
    let mut responses = Map::new();
    for answer in &operation.replies {
        let described = reply(operation, answer, schemas, &succeeded);
        responses.insert(answer.status.to_string(), described);
    }
    if operation.is_read() {
        let reference = json!({ "$ref": "#/components/responses/NotModified" });
        responses.insert("304".to_owned(), reference);
    }
    for status in operation.problem_statuses() {
        if let Some(reference) = components::problem_reference(status) {
            responses.entry(status.to_string()).or_insert(reference);
        }
    }
    described["responses"] = Value::Object(responses);
    described
}

fn reply(
    operation: &Operation,
    answer: &Answer,
    schemas: &mut Schemas,
    succeeded: &Succeeded<'_>,
) -> Value {
    let repeated = operation.is_repeatable().then_some("Idempotency-Replayed");
    let always = ALWAYS.iter().chain(&SOMETIMES).copied();
    let tag = (operation.is_read() && answer.status == 200).then_some("ETag");
    let own = answer.headers.iter().copied().chain(repeated).chain(tag);
    let mut described = json!({
        "description": answer.description,
        "headers": components::references(always.chain(own)),
    });
    if let Some(body) = answer.body {
        let schema = body(&mut schemas.replies).to_value();
        described["content"] = json_content(schema, succeeded.replies(answer.status));
    }
    for media_type in answer.texts {
        let schema = json!({ "type": "string" });
        described["content"][media_type] = json!({ "schema": schema });
    }
    described
}

fn json_content(schema: Value, examples: Map<String, Value>) -> Value {
    let mut content = json!({ "schema": schema });
    if !examples.is_empty() {
        content["examples"] = Value::Object(examples);
    }
    json!({ "application/json": content })
}

/// What was sent, as the schema has it: a query is text.
fn example_of(sent: &str, schema: &Value) -> Value {
    let is = |kind: &str| match &schema["type"] {
        Value::Array(kinds) => kinds.iter().any(|found| found == kind),
        found => found == kind,
    };
    if is("array") {
        // A list is sent with commas. Its items are ids and words.
        return sent.split(',').map(Value::from).collect();
    }
    let read = serde_json::from_str(sent).ok().filter(|_| !is("string"));
    read.unwrap_or_else(|| sent.into())
}
