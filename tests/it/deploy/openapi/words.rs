//! What the document says in words: everything is described, and named by the same rules.

use serde_json::Value;

use super::the_document;

/// What an operation may begin with.
const VERBS: [&str; 19] = [
    "cancel", "create", "follow", "forget", "get", "list", "patch", "pause", "put", "read",
    "redrive", "remove", "resume", "retry", "scan", "sign", "check", "end", "start",
];

fn operations(document: &Value) -> impl Iterator<Item = (String, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (format!("{method} {path}"), operation))
    })
}

/// Whether there are words, and they end as a sentence does.
fn is_described(value: &Value) -> bool {
    let text = value["description"].as_str().unwrap_or_default();
    text.len() > 5 && text.ends_with(['.', ')'])
}

#[test]
fn everything_is_described() {
    let document = the_document();
    let mut missing = Vec::new();
    for (at, operation) in operations(&document) {
        let parameters = operation["parameters"].as_array().unwrap();
        let own = parameters.iter().filter(|one| one["$ref"].is_null());
        let replies = operation["responses"].as_object().unwrap().values();
        let replies = replies.filter(|one| one["$ref"].is_null());
        for value in own.chain(replies).chain([operation]) {
            if !is_described(value) {
                missing.push(format!("{at}: {}", value["name"]));
            }
        }
    }
    for (kind, components) in document["components"].as_object().unwrap() {
        for (name, component) in components.as_object().unwrap() {
            if !is_described(component) {
                missing.push(format!("{kind}/{name}"));
            }
            for (field, value) in component["properties"].as_object().into_iter().flatten() {
                if !is_described(value) {
                    missing.push(format!("{kind}/{name}/{field}"));
                }
            }
            for member in component["oneOf"].as_array().into_iter().flatten() {
                if member["$ref"].is_null() && !is_described(member) {
                    missing.push(format!("{kind}/{name}: {member}"));
                }
            }
        }
    }
    assert!(missing.is_empty(), "not described: {missing:#?}");
}

#[test]
fn an_operation_begins_with_a_verb_and_its_summary_is_a_short_heading() {
    let document = the_document();
    for (at, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        let verb: String = id.chars().take_while(|c| c.is_lowercase()).collect();
        assert!(VERBS.contains(&verb.as_str()), "{at}: {id}");
        let summary = operation["summary"].as_str().unwrap();
        let is_heading = summary.len() < 40 && !summary.ends_with('.');
        assert!(is_heading, "{at}: {summary}");
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{at}");
    }
}
