//! Compares the routes of the functions, the template and `cargo lambda watch`.

use std::collections::{BTreeMap, BTreeSet};

use integration::TestApp;
use serde_json::Value;

use super::template::deployed;
use super::{functions, root};
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

/// The routes that the template maps to functions.
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

/// The lines to add to `template.yaml` for a route.
fn event_in_template((_, method, path): &Route) -> String {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric());
    let mut name: String = words
        .filter(|word| *word != "api")
        .map(|word| word[..1.min(word.len())].to_uppercase() + word.get(1..).unwrap_or(""))
        .collect();
    name.push_str(&method[..1]);
    name.push_str(&method[1..].to_lowercase());
    let path = match path.contains('{') {
        true => format!("{path:?}"),
        false => path.clone(),
    };
    format!(
        "        {name}:\n          Type: HttpApi\n          Properties: \
         {{ ApiId: !Ref HttpApi, Method: {method}, Path: {path} }}\n"
    )
}

#[tokio::test]
async fn the_template_has_the_routes_of_the_functions() {
    let (template, served) = (in_template(), served().await);
    let mut wrong = String::new();
    for route in served.difference(&template) {
        let event = event_in_template(route);
        wrong += &format!("add to Events of the function {}:\n{event}", route.0);
    }
    for (function, method, path) in template.difference(&served) {
        wrong += &format!("remove {method} {path} of {function}: no function has this route\n");
    }
    assert!(wrong.is_empty(), "template.yaml:\n{wrong}");
}

#[test]
fn a_route_missing_from_the_template_is_printed_in_the_form_to_add() {
    let event = event_in_template(&route("admin", "GET", "/api/admin/flags/{name}"));
    let expected = "        AdminFlagsNameGet:\n          Type: HttpApi\n          Properties: \
                    { ApiId: !Ref HttpApi, Method: GET, Path: \"/api/admin/flags/{name}\" }\n";
    assert_eq!(event, expected);
}

const ROUTER: &str = "[workspace.metadata.lambda.watch.router]\n";

/// The last section of the workspace manifest is generated from the routes.
#[tokio::test]
async fn cargo_lambda_watch_has_the_routes_of_the_functions() {
    let mut paths: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (function, method, path) in served().await {
        let entry = format!("    {{ method = \"{method}\", function = \"{function}\" }},\n");
        paths.entry(path).or_default().push(entry);
    }
    let router = paths.into_iter().map(|(path, mut entries)| {
        entries.sort();
        format!("{path:?} = [\n{}]\n", entries.concat())
    });
    let router: String = router.collect();
    let manifest = std::fs::read_to_string(root("Cargo.toml")).unwrap();
    let (before, is) = manifest.split_once(ROUTER).unwrap();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(root("Cargo.toml"), format!("{before}{ROUTER}{router}")).unwrap();
        return;
    }
    assert!(
        is == router,
        "the router of cargo lambda watch in Cargo.toml is not made of the routes; \
         UPDATE_GOLDEN=1 writes it:\n{router}"
    );
}

/// Ways in which a function could get a Redis client without passing the rate limits.
/// These words may appear only in the listed files.
#[test]
fn only_the_worker_and_the_health_check_bypass_the_rate_limits() {
    let words = ["connect", "Transport", "Upstash", "OnceLock", "LazyLock"];
    let parts = ["without_admission", "Start::"];
    let mut found = BTreeSet::new();
    for function in functions() {
        let mut folders = vec![root(&format!("functions/{function}/src"))];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                let lines = text.lines();
                let code: String = lines
                    .filter(|line| !line.trim_start().starts_with("//"))
                    .collect();
                let is_in_word = |letter: char| letter.is_alphanumeric() || letter == '_';
                let tokens: BTreeSet<&str> = code.split(|letter| !is_in_word(letter)).collect();
                let words = words.into_iter().filter(|word| tokens.contains(word));
                let parts = parts.into_iter().filter(|part| code.contains(part));
                let file = path.file_name().unwrap().to_str().unwrap();
                found.extend(
                    words
                        .chain(parts)
                        .map(|sign| format!("{function}/{file}: {sign}")),
                );
            }
        }
    }
    let expected = [
        "drain/lib.rs: without_admission",
        "drain/main.rs: Start::",
        "health/redis.rs: without_admission",
    ];
    assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
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
