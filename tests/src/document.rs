//! Every reply of a route, held to the OpenAPI document.

use std::sync::LazyLock;

use reqwest::Method;
use serde_json::Value;
use shared::http::match_path;

use crate::{Reply, schema};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!("../../docs/openapi.json");
    serde_json::from_str(text).unwrap()
});

/// Checks the reply of an operation: its status, its headers and its body.
///
/// # Panics
/// If the document promises something else.
pub(crate) fn check(method: &Method, path: &str, reply: &Reply) {
    // What has no id comes from the gateway in front of the functions. A 304 has no body.
    let is_functions = reply.header("x-request-id").is_some() && reply.status != 304;
    let Some(operation) = operation(method, path).filter(|_| is_functions) else {
        return;
    };
    let at = format!("{method} {path}: {}", reply.status);
    let promised = followed(&operation["responses"][reply.status.to_string()]);
    assert!(
        !promised.is_null(),
        "{at} is not in the document: {}",
        reply.json
    );
    let kind = reply.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default();
    let body = &promised["content"][kind]["schema"];
    if !reply.body.is_empty() {
        assert_eq!(body["type"], "string", "{at}, {kind}");
    } else if body.is_null() {
        assert!(reply.json.is_null(), "{at}, {kind}: {}", reply.json);
    } else {
        schema::check(&DOCUMENT, body, &reply.json, &at).unwrap();
    }
    let described = DOCUMENT["components"]["headers"].as_object().unwrap();
    for name in reply.headers.keys().map(|name| name.as_str()) {
        let is_described = described
            .keys()
            .any(|other| other.eq_ignore_ascii_case(name));
        assert!(
            is_described || is_usual(name),
            "{at}: header {name} is not in the document"
        );
    }
}

/// Headers that any server sends.
fn is_usual(name: &str) -> bool {
    name.starts_with("access-control-")
        || matches!(
            name,
            "cache-control" | "content-length" | "content-type" | "date" | "vary" | "connection"
        )
}

fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    // One without a parameter is meant before one with.
    let mut matching: Vec<_> = paths
        .iter()
        .filter(|(pattern, _)| match_path(pattern, path).is_some())
        .collect();
    matching.sort_by_key(|(pattern, _)| pattern.matches('{').count());
    let found = &matching.first()?.1[method.as_str().to_lowercase()];
    (!found.is_null()).then_some(found)
}

fn followed(value: &'static Value) -> &'static Value {
    match value["$ref"]
        .as_str()
        .and_then(|name| name.strip_prefix('#'))
    {
        Some(pointer) => DOCUMENT.pointer(pointer).unwrap_or(&Value::Null),
        None => value,
    }
}
