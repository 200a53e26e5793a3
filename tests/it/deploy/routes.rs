//! The routes: of the functions, of the template, of `cargo lambda watch`.

use std::collections::BTreeSet;

use integration::TestApp;
use serde_json::Value;

use super::lambda_metadata;
use super::template::deployed;
use crate::scan::guild_with;

/// Function, method, path.
pub type Route = (String, String, String);

async fn served() -> BTreeSet<Route> {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    let doors = app.functions.doors.iter();
    doors
        .flat_map(|function| {
            let routes = function.door.routes().into_iter();
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
