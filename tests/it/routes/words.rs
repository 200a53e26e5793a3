//! One idea has one name: the table in docs/API.md, held over everything that is sent and
//! answered.

use serde_json::{Map, Value};

/// Names that another one stands for.
const OTHERS: [(&str, &str); 10] = [
    ("reason", "errorMessage"),
    ("failureReason", "errorMessage"),
    ("message", "errorMessage"),
    ("errorType", "errorCode"),
    ("at", "a name that ends in At"),
    ("until", "a name that ends in At"),
    ("n", "limit"),
    ("pageSize", "limit"),
    ("next", "nextCursor"),
    ("scanned", "messagesScanned"),
];

/// Names of the reference documents, each beside the name it is another one for.
const ALIASES: [(&str, &str); 3] = [
    ("failedReason", "errorMessage"),
    ("totalMessagesScanned", "messagesScanned"),
    ("messageCount", "messagesWithClips"),
];

fn document() -> Value {
    let text = std::fs::read_to_string("../docs/openapi.json").unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The fields of every object in the document, by the place of the object.
fn objects<'a>(value: &'a Value, place: &str, found: &mut Vec<(String, &'a Map<String, Value>)>) {
    match value {
        Value::Object(fields) => {
            // Not what is called so: an object without `type` may be a map of schemas.
            if let Some(properties) = fields.get("properties").and_then(Value::as_object) {
                found.push((place.to_owned(), properties));
            }
            for (name, value) in fields {
                if !matches!(name.as_str(), "example" | "examples") {
                    objects(value, &format!("{place}/{name}"), found);
                }
            }
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                objects(item, &format!("{place}/{n}"), found);
            }
        }
        _ => {}
    }
}

fn types(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn a_name_is_written_one_way_and_no_other_stands_for_it() {
    let document = document();
    let mut found = Vec::new();
    objects(&document, "", &mut found);
    assert!(found.len() > 30, "{}", found.len());
    for (place, fields) in found {
        for name in fields.keys() {
            let is_camel = name.chars().all(char::is_alphanumeric)
                && name.starts_with(|first: char| first.is_ascii_lowercase());
            assert!(is_camel, "{place}: {name}");
            // The text of a log line of a scan is no failure.
            let is_log = place.contains("Log") && name == "message";
            for (other, right) in OTHERS {
                assert!(name != other || is_log, "{place}: {name} is called {right}");
            }
            let is_event = fields.contains_key("type") && fields.contains_key("data");
            let is_time = name.ends_with("Time") || name.to_lowercase().ends_with("timestamp");
            assert!(!is_time || is_event, "{place}: {name} is called …At");
        }
        for (alias, name) in ALIASES {
            assert_eq!(
                fields.contains_key(alias),
                fields.contains_key(alias) && fields.contains_key(name),
                "{place}: {alias} without {name}"
            );
        }
        assert_eq!(
            fields.contains_key("errorCode"),
            fields.contains_key("errorMessage"),
            "{place}"
        );
    }
}

#[test]
fn times_are_whole_milliseconds_and_percentages_whole_numbers_or_null() {
    let document = document();
    let mut found = Vec::new();
    objects(&document, "", &mut found);
    let mut n_times = 0;
    for (place, fields) in found {
        for (name, schema) in fields {
            let types = types(schema);
            // What is sent may also be RFC 3339.
            let is_sent = schema.to_string().contains("date-time");
            if name.ends_with("At") && !is_sent {
                assert!(types.contains(&"integer"), "{place}: {name}");
                n_times += 1;
            }
            if name == "percent" {
                let whole = |kind: &&str| matches!(*kind, "integer" | "null");
                assert!(!types.is_empty() && types.iter().all(whole), "{place}");
            }
        }
    }
    assert!(n_times >= 10, "{n_times}");
}

#[test]
fn a_state_is_a_job_s_and_a_status_a_scan_s() {
    let document = document();
    let values = |name: &str| {
        let schema = &document["components"]["schemas"][name];
        let mut values: Vec<String> = Vec::new();
        let own = schema["enum"].as_array().into_iter().flatten();
        let members = schema["oneOf"].as_array().into_iter().flatten();
        for member in members {
            let all = member["enum"].as_array().into_iter().flatten();
            values.extend(
                all.chain([&member["const"]])
                    .filter_map(Value::as_str)
                    .map(str::to_owned),
            );
        }
        values.extend(own.filter_map(Value::as_str).map(str::to_owned));
        values.sort();
        values
    };
    let states = [
        "active",
        "cancelled",
        "completed",
        "delayed",
        "failed",
        "waiting",
    ];
    assert_eq!(values("JobState"), states);
    let statuses = ["CANCELLED", "FAILED", "PENDING", "RUNNING", "SUCCEEDED"];
    assert_eq!(values("ScanStatus"), statuses);
}

#[test]
fn a_route_that_takes_a_cursor_takes_a_limit_and_answers_the_next_one() {
    let document = document();
    let mut n_lists = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let names: Vec<&str> = parameters.filter_map(|p| p["name"].as_str()).collect();
            if !names.contains(&"cursor") {
                continue;
            }
            n_lists += 1;
            assert!(names.contains(&"limit") || method == "delete", "{path}");
            let reply = &operation["responses"]["200"]["content"]["application/json"]["schema"];
            let name = reply["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
            let fields = &document["components"]["schemas"][name]["properties"];
            assert!(fields["nextCursor"].is_object(), "{path}");
            assert!(fields["cursor"].is_null(), "{path}");
        }
    }
    assert!(n_lists >= 3, "{n_lists}");
}
