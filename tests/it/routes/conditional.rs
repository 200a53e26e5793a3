//! A read that would show what the caller has already is 304, and costs no more.

use integration::{Reply, TestApp};
use serde_json::{Value, json};

use crate::scan::{CHANNEL, GUILD, guild_with};

async fn ask(app: &TestApp, path: &str, tag: &str) -> Reply {
    let request = app.http().get(app.path(path));
    app.send(request.header("if-none-match", tag)).await
}

async fn paths(app: &TestApp) -> Vec<String> {
    let id = app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    app.scan(CHANNEL + 1, json!({})).await;
    vec![
        format!("/api/jobs/{id}"),
        "/api/jobs?limit=5".to_owned(),
        format!("/api/scans/stream/{id}"),
        "/api/scans/current".to_owned(),
        format!("/api/guilds/{GUILD}/scan-statuses"),
        format!("/api/guilds/{GUILD}/channels/{CHANNEL}/scan-status"),
        format!("/api/guilds/{GUILD}/clips"),
        format!("/api/guilds/{GUILD}/settings"),
    ]
}

#[tokio::test]
async fn a_poll_that_changed_nothing_is_304_and_costs_no_more() {
    let app = TestApp::with_guild(guild_with(10, 1)).await;
    for path in paths(&app).await {
        app.get(&path).await;
        app.endpoint.reset_meter();
        let whole = app.get(&path).await;
        let cost = app.cost();
        let tag = whole.header("etag").unwrap_or_else(|| panic!("{path}"));
        for known in [tag.to_owned(), format!("\"x\", W/{tag}"), "*".to_owned()] {
            app.endpoint.reset_meter();
            let same = ask(&app, &path, &known).await;
            assert_eq!((same.status, &same.json), (304, &Value::Null), "{path}");
            assert_eq!(app.cost(), cost, "{path}");
            assert_eq!(same.header("etag"), Some(tag));
            assert_eq!(same.header("content-type"), None);
            for name in ["cache-control", "ratelimit", "x-request-id"] {
                assert!(same.header(name).is_some(), "{path} {name}");
            }
        }
        let other = ask(&app, &path, "\"x\"").await;
        assert_eq!((other.status, &other.json), (200, &whole.json), "{path}");
    }
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn a_poll_after_a_change_is_answered_whole() {
    let app = TestApp::with_guild(guild_with(10, 1)).await;
    let id = app.scan(CHANNEL, json!({})).await;
    let mut seen = Vec::new();
    for path in [
        format!("/api/jobs/{id}"),
        "/api/jobs".to_owned(),
        format!("/api/scans/stream/{id}"),
        "/api/scans/current".to_owned(),
        format!("/api/guilds/{GUILD}/scan-statuses"),
        format!("/api/guilds/{GUILD}/clips"),
    ] {
        let reply = app.get(&path).await;
        seen.push((path, reply.header("etag").unwrap().to_owned()));
    }
    app.drain().await;
    for (path, tag) in seen {
        assert_eq!(ask(&app, &path, &tag).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_header_that_is_no_list_of_tags_is_refused_and_an_error_is_no_304() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    let wrong = ask(&app, "/api/jobs", "abc").await;
    assert_eq!((wrong.status, wrong.text("/code")), (400, "invalid_header"));
    assert_eq!(wrong.text("/errors/0/header"), "if-none-match");
    assert_eq!(app.cost(), (0, 0));
    let missing = ask(&app, "/api/jobs/01J00000000000000000000000", "*").await;
    assert_eq!((missing.status, missing.header("etag")), (404, None));
}

#[tokio::test]
async fn head_has_the_tag_and_the_length_of_get_and_may_be_304() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    for path in paths(&app).await {
        let get = app.get(&path).await;
        let head = app.send(app.http().head(app.path(&path))).await;
        for name in ["etag", "content-length", "content-type", "cache-control"] {
            assert!(get.header(name).is_some(), "{path} {name}");
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
        let request = app.http().head(app.path(&path));
        let request = request.header("if-none-match", get.header("etag").unwrap());
        assert_eq!(app.send(request).await.status, 304);
    }
    app.leaves_unfinished(1);
}
