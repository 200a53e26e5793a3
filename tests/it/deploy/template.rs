//! `template.yaml` as JSON. A tag such as `!Ref X` becomes `{"Ref": "X"}`.

use std::collections::{BTreeMap, BTreeSet};

use saphyr::{LoadableYamlNode as _, Yaml};
use serde_json::{Map, Value, json};

use super::{functions, root};

/// The template's functions: the name of the binary and the resource, completed with the
/// values from `Globals`.
pub fn deployed() -> BTreeMap<String, Value> {
    let template = template();
    let globals = &template["Globals"]["Function"];
    let resources = template["Resources"].as_object().unwrap();
    let functions = resources
        .values()
        .filter(|resource| resource["Type"] == "AWS::Serverless::Function");
    functions
        .map(|function| {
            let mut function = function.clone();
            fill(&mut function["Properties"], globals);
            let binary = &function["Metadata"]["BuildProperties"]["Binary"];
            (binary.as_str().unwrap().to_owned(), function)
        })
        .collect()
}

/// The settings that the template gives a function.
pub fn settings(function: &Value) -> BTreeSet<String> {
    let variables = &function["Properties"]["Environment"]["Variables"];
    variables.as_object().unwrap().keys().cloned().collect()
}

/// The permissions of a function, including conditional ones.
pub fn statements(function: &Value) -> Vec<Value> {
    let policies = function["Properties"]["Policies"].as_array();
    let policies = policies.into_iter().flatten();
    policies
        .map(|policy| policy.pointer("/If/1").unwrap_or(policy))
        .flat_map(|policy| policy["Statement"].as_array().unwrap().clone())
        .collect()
}

pub fn template() -> Value {
    let text = std::fs::read_to_string(root("template.yaml")).unwrap();
    let documents = Yaml::load_from_str(&text).unwrap();
    let [document] = documents.as_slice() else {
        panic!("a template is one document");
    };
    to_json(document)
}

fn to_json(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Tagged(tag, node) => json!({ tag.suffix.to_string(): to_json(node) }),
        Yaml::Sequence(items) => items.iter().map(to_json).collect(),
        Yaml::Mapping(pairs) => {
            let pairs = pairs.iter();
            let pairs =
                pairs.map(|(key, value)| (key.as_str().unwrap().to_owned(), to_json(value)));
            Value::Object(pairs.collect::<Map<_, _>>())
        }
        scalar => {
            let number = scalar.as_integer().map(Value::from);
            let other = || scalar.as_bool().map(Value::from);
            let text = || scalar.as_str().map(Value::from);
            number.or_else(other).or_else(text).unwrap()
        }
    }
}

/// Adds the entries that `to` lacks, recursively, as SAM does with `Globals`.
fn fill(to: &mut Value, from: &Value) {
    let Some(from) = from.as_object() else { return };
    for (name, value) in from {
        match to.get_mut(name) {
            Some(own) => fill(own, value),
            None => to[name] = value.clone(),
        }
    }
}

#[test]
fn each_folder_of_functions_is_deployed_as_the_binary_of_its_name() {
    let deployed = deployed();
    assert_eq!(
        deployed.keys().cloned().collect::<BTreeSet<_>>(),
        functions()
    );
    for (name, function) in deployed {
        let properties = &function["Properties"];
        assert_eq!(function["Metadata"]["BuildMethod"], "rust-cargolambda");
        assert_eq!(properties["CodeUri"], ".", "{name}");
        assert_eq!(
            properties["Architectures"],
            json!([{ "Ref": "Architecture" }])
        );
        let full_name = json!({ "Sub": format!("${{AWS::StackName}}-{name}") });
        assert_eq!(properties["FunctionName"], full_name);
    }
}

#[test]
fn a_route_ends_before_the_gateway_gives_up_and_a_drain_may_take_all_that_lambda_grants() {
    for (name, function) in deployed() {
        let seconds = function["Properties"]["Timeout"].as_i64().unwrap();
        assert_eq!(seconds, if name == "drain" { 900 } else { 29 }, "{name}");
    }
}

#[test]
fn functions_that_wake_drainers_may_invoke_only_them() {
    let deployed = deployed();
    let drain_name = &deployed["drain"]["Properties"]["FunctionName"];
    let resource = format!(
        "arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:{}",
        drain_name["Sub"].as_str().unwrap()
    );
    for waker in ["enqueue", "clips", "uploads", "drain"] {
        let waker = &deployed[waker]["Properties"];
        let told = &waker["Environment"]["Variables"]["DRAIN_FUNCTION"];
        assert_eq!(told, drain_name);
    }
    for (name, function) in &deployed {
        let wakes = ["enqueue", "clips", "uploads", "drain"].contains(&name.as_str());
        let granted: Vec<Value> = statements(function)
            .into_iter()
            .filter(|statement| statement["Action"] != "ssm:GetParameters")
            .collect();
        assert_eq!(granted.len(), usize::from(wakes), "{name}");
        for statement in granted {
            assert_eq!(statement["Action"], "lambda:InvokeFunction");
            assert_eq!(statement["Resource"]["Sub"], resource);
        }
    }
}

#[test]
fn a_drain_is_started_every_minute_and_never_a_second_time_for_one_event() {
    let drain = &deployed()["drain"]["Properties"];
    let schedule = &drain["Events"]["EveryMinute"]["Properties"];
    assert_eq!(schedule["ScheduleExpression"], "rate(1 minute)");
    let once = json!({ "MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60 });
    assert_eq!(schedule["FlexibleTimeWindow"]["Mode"], "OFF");
    assert_eq!(schedule["RetryPolicy"], once);
    // Failed events are kept for inspection for as long as SQS allows.
    let kept = json!({ "GetAtt": "UndeliveredQueue.Arn" });
    let queue = &template()["Resources"]["UndeliveredQueue"]["Properties"];
    assert_eq!(queue["SqsManagedSseEnabled"], true);
    assert_eq!(queue["MessageRetentionPeriod"], 14 * 86_400);
    // New accounts cannot reserve concurrency.
    let reserved =
        json!({ "If": ["ReservesDrainers", { "Ref": "Drainers" }, { "Ref": "AWS::NoValue" }] });
    assert_eq!(drain["ReservedConcurrentExecutions"], reserved);
    assert_eq!(template()["Parameters"]["Drainers"]["Default"], 0);
    assert_eq!(schedule["DeadLetterConfig"]["Arn"], kept);
    let invokes = &drain["EventInvokeConfig"];
    for (name, value) in once.as_object().unwrap() {
        assert_eq!(invokes[name], *value);
    }
    assert_eq!(
        invokes["DestinationConfig"]["OnFailure"]["Destination"],
        kept
    );
    assert_eq!(drain["RecursiveLoop"], "Terminate");
    let input: Value = serde_json::from_str(schedule["Input"].as_str().unwrap()).unwrap();
    let file = std::fs::read_to_string(root("events/drain-schedule.json")).unwrap();
    assert_eq!(input, serde_json::from_str::<Value>(&file).unwrap());
}

#[test]
fn lines_are_json_in_a_log_group_of_the_functions_own_that_goes_with_the_stack() {
    let template = template();
    let mut groups = BTreeSet::new();
    for (name, function) in deployed() {
        let logging = &function["Properties"]["LoggingConfig"];
        assert_eq!(logging["LogFormat"], "JSON", "{name}");
        let group = logging["LogGroup"]["Ref"].as_str().unwrap();
        assert!(groups.insert(group.to_owned()), "{name}");
        let group = &template["Resources"][group];
        assert_eq!(group["DeletionPolicy"], "Delete", "{name}");
        let days = &group["Properties"]["RetentionInDays"];
        assert_eq!(days, &json!({ "Ref": "LogRetentionDays" }), "{name}");
    }
}

#[test]
fn nothing_is_kept_when_the_stack_is_deleted() {
    for (name, resource) in template()["Resources"].as_object().unwrap() {
        for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
            let policy = &resource[policy];
            assert!(policy.is_null() || policy == "Delete", "{name}");
        }
    }
}

#[test]
fn the_gateway_limits_and_logs() {
    let api = &template()["Resources"]["HttpApi"]["Properties"];
    assert_eq!(api["FailOnWarnings"], true);
    let throttling = &api["DefaultRouteSettings"];
    assert!(throttling["ThrottlingRateLimit"].as_i64().is_some());
    assert!(throttling["ThrottlingBurstLimit"].as_i64().is_some());
    let format = api["AccessLogSettings"]["Format"].as_str().unwrap();
    let line: Value = serde_json::from_str(format).unwrap();
    for field in ["requestId", "route", "status", "latencyMs"] {
        assert!(line[field].is_string(), "{field}");
    }
}

#[test]
fn open_routes_are_throttled_for_all_callers_together() {
    let api = &template()["Resources"]["HttpApi"]["Properties"];
    let settings = &api["RouteSettings"];
    let usual = api["DefaultRouteSettings"]["ThrottlingRateLimit"].as_i64();
    let document = shared::openapi::document(&dev::operations(), &[]);
    let mut open = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let is_open = operation["security"].as_array().is_some_and(Vec::is_empty);
            // Signing out without a session costs nothing.
            if !is_open || operation["operationId"] == "signOut" {
                continue;
            }
            open += 1;
            let mut keys = vec![format!("{} {path}", method.to_uppercase())];
            if method == "get" {
                keys.push(format!("HEAD {path}"));
            }
            for key in keys {
                let rate = settings[&key]["ThrottlingRateLimit"].as_i64();
                assert!(rate.is_some() && rate < usual, "{key}: {rate:?}");
            }
        }
    }
    assert_eq!(open, 2);
}

#[test]
fn a_panic_is_not_the_end_of_what_is_deployed() {
    let text = std::fs::read_to_string(root("Cargo.toml")).unwrap();
    let manifest: Value = toml::from_str(&text).unwrap();
    assert_eq!(manifest["profile"]["release"]["panic"], "unwind");
}

#[test]
fn the_gateway_and_the_functions_send_the_same_cors_headers() {
    let template = template();
    let cors = &template["Resources"]["HttpApi"]["Properties"]["CorsConfiguration"];
    assert_eq!(cors["AllowCredentials"], true);
    assert_eq!(cors["AllowHeaders"], json!(shared::http::cors::ALLOWED));
    assert_eq!(cors["ExposeHeaders"], json!(shared::http::cors::EXPOSED));
    // With credentials, API Gateway rejects `*`.
    let pattern = &template["Parameters"]["CorsOrigins"]["AllowedPattern"];
    assert!(pattern.as_str().unwrap().starts_with("^https?://"));
}

#[test]
fn traffic_is_shifted_gradually_to_new_routes_but_not_to_a_new_drainer() {
    for (name, function) in deployed() {
        let properties = &function["Properties"];
        if name == "drain" {
            // The drainer is invoked without an alias.
            assert_eq!(properties["AutoPublishAlias"], Value::Null);
            continue;
        }
        assert_eq!(properties["AutoPublishAlias"], "live", "{name}");
        assert_eq!(properties["AutoPublishAliasAllProperties"], true, "{name}");
        let preference = &properties["DeploymentPreference"];
        let shift = json!({ "If": ["ShiftsSlowly", "Canary10Percent5Minutes", "AllAtOnce"] });
        assert_eq!(preference["Type"], shift, "{name}");
        let alarms = json!([{ "Ref": "DeploymentAlarm" }, { "Ref": "RouteErrorsAlarm" }]);
        assert_eq!(preference["Alarms"], alarms);
        // Both are needed: Lambda publishes no version of an unchanged function.
        assert_eq!(
            properties["VersionDescription"],
            json!({ "Ref": "Revision" })
        );
        let description = properties["Description"]["Sub"].as_str().unwrap();
        assert!(description.ends_with(" ${Revision}"), "{name}");
    }
}
