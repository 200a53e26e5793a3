//! The routes: of the functions, of the template, of `cargo lambda watch`.

use std::collections::{BTreeMap, BTreeSet};

use integration::TestApp;
use serde_json::Value;

use super::lambda_metadata;
use super::template::deployed;
use crate::scan::guild_with;

/// Function, method, path.
pub type Route = (String, String, String);

async fn served() -> BTreeSet<Route> {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    let apps = app.functions.apps.iter();
    apps.flat_map(|function| {
        let routes = function.app.routes().into_iter();
        routes.map(|(method, path)| route(function.name, method.as_str(), path))
    })
    .collect()
}

pub fn route(function: &str, method: &str, path: &str) -> Route {
    (function.to_owned(), method.to_owned(), path.to_owned())
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap()
}

/// The routes the template sends to the functions.
pub fn in_template() -> BTreeSet<Route> {
    let mut routes = BTreeSet::new();
    for (name, function) in deployed() {
        for (event, what) in function["Properties"]["Events"].as_object().unwrap() {
            if what["Type"] == "HttpApi" {
                let properties = &what["Properties"];
                let (method, path) = (text(properties, "Method"), text(properties, "Path"));
                assert!(
                    routes.insert(route(&name, method, path)),
                    "{event} of {name} is a second {method} {path}"
                );
            }
        }
    }
    routes
}

#[tokio::test]
async fn the_template_has_the_routes_of_the_functions() {
    assert_eq!(in_template(), served().await);
}

#[tokio::test]
async fn cargo_lambda_watch_has_the_routes_of_the_functions() {
    let metadata = lambda_metadata();
    let router = metadata["watch"]["router"].as_object().unwrap();
    let mut routes = BTreeSet::new();
    for (path, functions) in router {
        for function in functions.as_array().unwrap() {
            let (name, method) = (text(function, "function"), text(function, "method"));
            routes.insert(route(name, method, path));
        }
    }
    assert_eq!(routes, served().await);
}

#[tokio::test]
async fn what_several_functions_answer_is_known_to_each() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    let mut functions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut methods: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for function in &app.functions.apps {
        let routes = function.app.routes().into_iter();
        for (method, path) in routes.filter(|(method, _)| method != "HEAD") {
            functions.entry(path).or_default().insert(function.name);
            methods.entry(path).or_default().insert(method.to_string());
        }
    }
    let split = functions.into_iter().filter(|(_, names)| names.len() > 1);
    let split: BTreeMap<&str, BTreeSet<String>> = split
        .map(|(path, _)| (path, methods[path].clone()))
        .collect();
    let listed = shared::http::SHARED_PATHS.iter().map(|(path, methods)| {
        let methods = methods.iter().map(ToString::to_string);
        (*path, methods.collect())
    });
    assert_eq!(split, listed.collect());
}
