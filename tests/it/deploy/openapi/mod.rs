//! Compares the OpenAPI document with the functions and with the file in the repository.

use std::collections::BTreeSet;

use integration::{Options, TestApp, schema};
use serde_json::Value;
use shared::openapi::document;

use super::root;

mod exchanges;
mod layout;
mod words;

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

#[tokio::test]
async fn the_file_is_what_the_types_say_and_the_routes_answer() {
    let now = layout::text(&document(&dev::operations(), &exchanges::record().await));
    let path = root("docs/openapi.json");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    for (n, (kept, now)) in kept.lines().zip(now.lines()).enumerate() {
        assert_eq!(
            kept,
            now,
            "line {}; UPDATE_GOLDEN=1 writes docs/openapi.json",
            n + 1
        );
    }
    assert_eq!(
        kept.len(),
        now.len(),
        "UPDATE_GOLDEN=1 writes docs/openapi.json"
    );
}

#[test]
fn the_layout_changes_nothing_in_the_document() {
    let document = the_document();
    let text = layout::text(&document);
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), document);
    let longest = text.lines().map(str::len).max();
    assert!(longest < Some(2000), "{longest:?}");
}

#[test]
fn every_reference_leads_somewhere_and_every_operation_has_a_name_of_its_own() {
    let document = the_document();
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
    let document = the_document();
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

/// The document in the repository, with its examples.
fn the_document() -> Value {
    let text = std::fs::read_to_string(root("docs/openapi.json")).unwrap();
    serde_json::from_str(&text).unwrap()
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

#[test]
fn every_example_is_as_its_schema_says() {
    fn visit(document: &Value, value: &Value, at: &str, n_checked: &mut usize) {
        let examples = value["examples"]
            .as_object()
            .filter(|_| value["schema"].is_object());
        for (name, example) in examples.into_iter().flatten() {
            let at = format!("{at}/{name}");
            schema::check(document, &value["schema"], &example["value"], &at).unwrap();
            *n_checked += 1;
        }
        match value {
            Value::Object(fields) => {
                let fields = fields.iter().filter(|(name, _)| *name != "examples");
                for (name, value) in fields {
                    visit(document, value, &format!("{at}/{name}"), n_checked);
                }
            }
            Value::Array(items) => {
                for item in items {
                    visit(document, item, at, n_checked);
                }
            }
            _ => {}
        }
    }
    let document = the_document();
    let mut n_checked = 0;
    visit(&document, &document, "", &mut n_checked);
    assert!(n_checked > 60, "{n_checked}");
}

#[test]
fn every_operation_shows_a_request_and_a_reply() {
    let document = the_document();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let at = format!("{method} {path}");
            let body = &operation["requestBody"]["content"]["application/json"];
            assert!(
                body.is_null() || body["examples"].is_object(),
                "{at}: request"
            );
            let replies = operation["responses"].as_object().unwrap().iter();
            for (status, reply) in replies.filter(|(status, _)| status.starts_with('2')) {
                let body = &reply["content"]["application/json"];
                assert!(
                    body.is_null() || body["examples"].is_object(),
                    "{at}: {status}"
                );
            }
            let required = operation["parameters"].as_array().unwrap().iter();
            for parameter in required.filter(|parameter| parameter["required"] == true) {
                assert!(!parameter["example"].is_null(), "{at}: {parameter}");
            }
        }
    }
}
