//! A refusal names everything that is wrong, by place and by a stable code.

use integration::{Options, Reply, TestApp};
use serde_json::{Value, json};
use shared::http::ErrorCode;

const ID: &str = "1200000000000000001";

fn errors(reply: &Reply) -> Vec<(String, String)> {
    let errors = reply.json["errors"].as_array().unwrap().iter();
    let mut found: Vec<(String, String)> = errors
        .map(|error| {
            let place = ["pointer", "parameter", "header"].map(|name| error[name].as_str());
            let place = place.into_iter().flatten().next().unwrap();
            let code = error["code"].as_str().unwrap();
            assert!(!error["detail"].as_str().unwrap().is_empty());
            (place.to_owned(), code.to_owned())
        })
        .collect();
    found.sort();
    found
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = expected.iter();
    pairs
        .map(|(place, code)| ((*place).to_owned(), (*code).to_owned()))
        .collect()
}

#[tokio::test]
async fn all_wrong_fields_of_a_body_come_in_one_answer() {
    let app = TestApp::start(Options::default()).await;
    let body = json!({
        "channelId": 5, "scanMode": "sideways", "prioritty": 1, "priority": 11,
        "options": { "maxMessages": "many", "most": 1 }, "runAt": true,
    });
    let reply = app.post("/api/jobs/scan", &body).await;
    assert_eq!((reply.status, reply.text("/code")), (400, "invalid_body"));
    assert_eq!(
        errors(&reply),
        pairs(&[
            ("/channelId", "wrong_type"),
            ("/guildId", "missing_field"),
            ("/options/maxMessages", "wrong_type"),
            ("/options/most", "unknown_field"),
            ("/prioritty", "unknown_field"),
            ("/priority", "out_of_range"),
            ("/runAt", "wrong_type"),
            ("/scanMode", "invalid"),
        ])
    );
    assert!(reply.text("/detail").ends_with("(and 7 more errors)"));
    assert_eq!(app.endpoint.meter().total, 0);
}

#[tokio::test]
async fn the_jobs_of_an_array_are_named_by_their_places() {
    let app = TestApp::start(Options::default()).await;
    let job = |more: Value| {
        let mut job = json!({ "type": "batch", "guildId": ID, "channelId": ID });
        let more = more.as_object().unwrap().clone();
        job.as_object_mut().unwrap().extend(more);
        job
    };
    let unreadable =
        json!([job(json!({})), job(json!({ "guildId": "0" })), 5, { "type": "dance" }]);
    assert_eq!(
        errors(&app.post("/api/jobs", &unreadable).await),
        pairs(&[
            ("/1/guildId", "invalid"),
            ("/2", "wrong_type"),
            ("/3/channelId", "missing_field"),
            ("/3/guildId", "missing_field"),
            ("/3/type", "invalid"),
        ])
    );
    // Readable each by itself.
    let odd = json!([
        job(json!({ "scanMode": "forward", "messageIds": [ID] })),
        job(json!({ "beforeMessageId": ID, "afterMessageId": ID })),
        job(json!({ "type": "message" })),
    ]);
    assert_eq!(
        errors(&app.post("/api/jobs", &odd).await),
        pairs(&[
            ("/0/messageIds", "unknown_field"),
            ("/0/scanMode", "unknown_field"),
            ("/1/afterMessageId", "invalid"),
            ("/2/messageIds", "missing_field"),
        ])
    );
    let past = app.clock.now_ms() - 3_600_000;
    let late = json!([
        job(json!({ "runAt": past })),
        job(json!({})),
        job(json!({ "runAt": past }))
    ]);
    assert_eq!(
        errors(&app.post("/api/jobs", &late).await),
        pairs(&[("/0/runAt", "out_of_range"), ("/2/runAt", "out_of_range")])
    );
}

#[tokio::test]
async fn wrong_parameters_of_path_and_query_come_in_one_answer() {
    let app = TestApp::start(Options::default()).await;
    let reply = app
        .get("/api/guilds/0/clips?limit=0&chanelId=1&after=soon&limit=5")
        .await;
    assert_eq!(
        (reply.status, reply.text("/code")),
        (400, "invalid_parameter")
    );
    assert_eq!(
        errors(&reply),
        pairs(&[
            ("after", "invalid"),
            ("chanelId", "unknown_field"),
            ("guildId", "invalid"),
            ("limit", "duplicate_field"),
            ("limit", "out_of_range"),
        ])
    );
    assert_eq!(app.endpoint.meter().total, 0);
}

#[tokio::test]
async fn a_text_that_is_not_json_is_told_line_and_column() {
    let app = TestApp::start(Options::default()).await;
    let request = app.http().post(app.path("/api/jobs/scan"));
    let request = request.header("content-type", "application/json");
    let reply = app.send(request.body("{\n  \"guildId\": '5'\n}")).await;
    assert_eq!((reply.status, reply.text("/code")), (400, "invalid_json"));
    let expected = json!({
        "pointer": "", "code": "syntax", "line": 2, "column": 14,
        "detail": "expected valid JSON; there is a syntax error at line 2, column 14",
    });
    assert_eq!(reply.json["errors"], json!([expected]));
}

#[tokio::test]
async fn no_answer_names_a_type_of_rust() {
    let app = TestApp::start(Options::default()).await;
    let wrong = [
        json!(null),
        json!(true),
        json!(5),
        json!("x"),
        json!([]),
        json!({}),
    ];
    let mut bodies = wrong.to_vec();
    for field in [
        "type",
        "guildId",
        "channelId",
        "scanMode",
        "direction",
        "limit",
        "autoContinue",
        "messageIds",
        "options",
        "priority",
        "runAt",
        "key",
        "on",
        "percent",
        "allow",
        "minVideoSeconds",
        "includeThreads",
        "excludedChannelIds",
    ] {
        bodies.extend(wrong.iter().map(|value| json!({ field: value })));
    }
    for body in bodies {
        for path in ["/api/jobs", "/api/jobs/scan", "/api/sessions"] {
            let reply = app.post(path, &body).await;
            let text = reply.json.to_string();
            for word in [
                "struct",
                "enum",
                "sequence",
                "u64",
                "i64",
                "f64",
                "map",
                "variant",
                "boolean",
                "unit",
                "CreateScan",
                "JobRequest",
                "Credentials",
            ] {
                let mut words = text.split(|c: char| !c.is_alphanumeric());
                assert!(words.all(|found| found != word), "{word}: {text}");
            }
        }
    }
}

#[tokio::test]
async fn a_missing_key_is_told_from_a_wrong_one_and_from_too_small_a_one() {
    let app = TestApp::start(Options::default()).await;
    let get = |path: &str| app.http().get(app.path(path));
    let job = "/api/jobs/01J00000000000000000000000";
    let missing = app.send_plain(get(job)).await;
    assert_eq!(
        (missing.status, missing.text("/code")),
        (401, "missing_token")
    );
    assert_eq!(missing.header("www-authenticate"), Some("Bearer"));
    let wrong = app.send_plain(get(job).bearer_auth("wrong-key")).await;
    assert_eq!((wrong.status, wrong.text("/code")), (401, "invalid_token"));
    assert_eq!(
        wrong.header("www-authenticate"),
        Some(r#"Bearer error="invalid_token", error_description="the key is unknown""#)
    );
    let cookie = get(job).header("cookie", "__Host-trawl-session=api.x.y");
    let over = app.send_plain(cookie).await;
    assert_eq!((over.status, over.text("/code")), (401, "session_expired"));
    assert_eq!(over.header("www-authenticate"), Some("Bearer"));
    let small = app.get("/api/admin/queues").await;
    assert_eq!(
        (small.status, small.text("/code")),
        (403, "insufficient_scope")
    );
    let challenge = small.header("www-authenticate").unwrap();
    assert!(
        challenge.contains(r#"error="insufficient_scope""#),
        "{challenge}"
    );
    assert!(challenge.contains(r#"scope="admin""#), "{challenge}");
}

#[tokio::test]
async fn the_type_of_a_problem_is_a_section_of_a_page() {
    let app = TestApp::start(Options::default()).await;
    let reply = app.get("/api/nothing").await;
    assert_eq!(reply.text("/type"), "/docs/ERRORS.md#route_not_found");
}

#[test]
fn every_code_has_a_section_and_every_section_a_code() {
    let page = include_str!("../../../docs/ERRORS.md");
    let mut sections: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .collect();
    let mut codes: Vec<&str> = ErrorCode::ALL.iter().map(|code| code.name()).collect();
    sections.sort_unstable();
    codes.sort_unstable();
    assert_eq!(sections, codes);
    let mut status = "";
    for line in page.lines() {
        status = line.strip_prefix("## ").unwrap_or(status);
        if let Some(name) = line.strip_prefix("### ") {
            let mut codes = ErrorCode::ALL.iter();
            let code = codes.find(|code| code.name() == name).unwrap();
            assert!(status.starts_with(code.status().as_str()), "{name}");
        }
    }
}

#[test]
fn every_code_of_a_field_is_described() {
    let page = include_str!("../../../docs/ERRORS.md");
    for code in shared::http::FieldCode::ALL {
        assert!(page.contains(&format!("| `{}` |", code.name())), "{code:?}");
    }
}

/// Whatever is quoted right after one of these in the worker's jobs is an error code.
const BEFORE_A_CODE: [&str; 4] = ["fail(", "reason(", "UNREACHABLE: &str =", "return Some(("];

#[test]
fn every_code_of_a_failed_job_is_described_and_no_other() {
    let page = include_str!("../../../docs/ERRORS.md");
    let (_, table) = page.split_once("## Jobs that fail").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut described: Vec<&str> = rows.filter_map(|row| row.split('`').next()).collect();
    described.retain(|name| !matches!(*name, "errorCode" | "failed"));

    let mut used = std::collections::BTreeSet::new();
    let folders = ["../functions/drain/src/jobs", "../shared/src/domain/jobs"];
    let mut folders = folders.map(std::path::PathBuf::from).to_vec();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(path).unwrap();
            for before in BEFORE_A_CODE {
                for (at, _) in text.match_indices(before) {
                    let rest = text[at + before.len()..].trim_start();
                    let Some(code) = rest.strip_prefix('"') else {
                        continue;
                    };
                    used.insert(code.split('"').next().unwrap().to_owned());
                }
            }
        }
    }
    described.sort_unstable();
    assert_eq!(described, Vec::from_iter(used));
}
