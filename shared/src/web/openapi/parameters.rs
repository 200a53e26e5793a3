//! The fields of a type as the parameters of a path or a query.

use serde_json::{Value, json};

use super::Operation;
use super::plain::without_null;

/// The parameters of an operation: of its path, of its query, and its headers.
pub(super) fn parameters(operation: &Operation, path: &Value, query: &Value) -> Vec<Value> {
    let path = listed(path, "path");
    let mut all: Vec<Value> = path.into_iter().chain(listed(query, "query")).collect();
    let mut shared = vec!["X-Sync-Token"];
    if operation.is_read() {
        shared.push("If-None-Match");
    }
    if operation.is_conditional {
        shared.push("If-Match");
    }
    if operation.is_repeatable() {
        shared.push("Idempotency-Key");
    }
    let reference = |name| json!({ "$ref": format!("#/components/parameters/{name}") });
    all.extend(shared.into_iter().map(reference));
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
        if parameter["schema"]["type"] == "array" {
            // Separated by commas: the same name twice is refused.
            parameter["style"] = "form".into();
            parameter["explode"] = false.into();
        }
        if let Some(description) = description {
            parameter["description"] = description;
        }
        parameter
    });
    parameters.collect()
}
