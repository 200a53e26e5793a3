//! The document of the routes, against the functions and the file that is kept.

use std::collections::BTreeSet;

use integration::{Options, TestApp};
use serde_json::{Value, json};
use shared::openapi::document;

use super::root;

#[tokio::test]
async fn each_route_is_documented_once_and_nothing_else_is() {
    let app = TestApp::start(Options::default()).await;
    let apps = app.functions.apps.iter();
    let routes: Vec<String> = apps
        .flat_map(|function| function.app.routes())
        // HEAD is GET without a body.
        .filter(|(method, _)| method != "HEAD")
        .map(|(method, path)| format!("{method} {path}"))
        .collect();
    let documented: Vec<String> = dev::operations()
        .iter()
        .map(|operation| format!("{} {}", operation.method, operation.path))
        .collect();
    let set = |all: &[String]| all.iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!(set(&documented), set(&routes));
    assert_eq!(documented.len(), routes.len());
}

#[test]
fn the_file_is_what_the_types_say() {
    let now = by_line(&document(&dev::operations()));
    let path = root("docs/openapi.json");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == now,
        "docs/openapi.json is not what the types say; UPDATE_GOLDEN=1 writes it"
    );
}

#[test]
fn every_reference_leads_somewhere_and_every_operation_has_a_name_of_its_own() {
    let document = document(&dev::operations());
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    let mut names = BTreeSet::new();
    for path in document["paths"].as_object().unwrap().values() {
        for operation in path.as_object().unwrap().values() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} twice");
        }
    }
}

#[test]
fn a_body_has_the_fields_that_are_known_and_no_others() {
    fn check(place: &str, schema: &Value) {
        if schema["properties"].is_object() {
            assert_eq!(schema["additionalProperties"], false, "{place}");
        }
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            check(&format!("{place}.{name}"), inner);
        }
        for word in ["anyOf", "oneOf", "allOf"] {
            for inner in schema[word].as_array().into_iter().flatten() {
                check(place, inner);
            }
        }
        if schema["items"].is_object() {
            check(place, &schema["items"]);
        }
    }
    let document = document(&dev::operations());
    let mut bodies = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            if !schema.is_null() {
                bodies += 1;
                check(&format!("{method} {path}"), schema);
            }
        }
    }
    assert!(bodies >= 6, "{bodies}");
}

/// The document with a line for each operation and each schema, so that a change is read
/// where it was made.
fn by_line(document: &Value) -> String {
    fn write(text: &mut String, value: &Value, indent: usize, depth: usize) {
        let Some(fields) = value.as_object().filter(|_| depth > 0) else {
            text.push_str(&value.to_string());
            return;
        };
        text.push_str("{\n");
        for (n, (name, value)) in fields.iter().enumerate() {
            let depth = match name.as_str() {
                // A line for each below them.
                "paths" | "components" => 2,
                _ => depth - 1,
            };
            let comma = if n + 1 < fields.len() { "," } else { "" };
            text.push_str(&format!("{}{}: ", " ".repeat(indent + 2), json!(name)));
            write(text, value, indent + 2, depth);
            text.push_str(&format!("{comma}\n"));
        }
        text.push_str(&format!("{}}}", " ".repeat(indent)));
    }
    let mut text = String::new();
    write(&mut text, document, 0, 1);
    text + "\n"
}

#[test]
fn the_file_has_a_line_for_each_operation() {
    let document = document(&dev::operations());
    let text = by_line(&document);
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), document);
    let n_operations = text
        .lines()
        .filter(|line| line.contains("\"operationId\""))
        .count();
    assert_eq!(n_operations, dev::operations().len());
    assert!(text.lines().count() < 200, "{}", text.lines().count());
}

fn collect(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str() {
                    Some(text) if name == "$ref" => {
                        references.insert(text.to_owned());
                    }
                    _ => collect(value, references),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}
