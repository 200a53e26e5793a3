//! Changes to some of the settings, and changes that depend on what the caller has seen.

use integration::{Reply, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use upstash_local::{Fault, FaultAction};

use super::{guild, system};
use crate::scan::{CHANNEL, GUILD};

async fn change(app: &TestApp, method: Method, body: Value, if_match: Option<&str>) -> Reply {
    let path = app.path(&format!("{}/settings", guild()));
    let mut request = app.http().request(method, path).json(&body);
    if let Some(tag) = if_match {
        request = request.header("if-match", tag);
    }
    app.send(request).await
}

async fn read(app: &TestApp) -> Reply {
    app.get(&format!("{}/settings", guild())).await
}

fn excluded() -> Value {
    json!([CHANNEL.to_string()])
}

#[tokio::test]
async fn what_a_patch_does_not_name_stays() {
    let app = system().await;
    let all = json!({ "minVideoSeconds": 3.5, "includeThreads": "none",
        "excludedChannelIds": excluded(), "storeText": true, "priority": 2 });
    change(&app, Method::PUT, all.clone(), None).await;
    let mut expected = all;
    for (patch, field) in [
        (json!({ "minVideoSeconds": 5 }), "minVideoSeconds"),
        (json!({ "priority": 9 }), "priority"),
        (json!({ "includeThreads": "all" }), "includeThreads"),
    ] {
        expected[field] = patch[field].clone();
        if field == "minVideoSeconds" {
            expected[field] = json!(5.0);
        }
        let reply = change(&app, Method::PATCH, patch, None).await;
        assert_eq!((reply.status, &reply.json), (200, &expected));
        assert_eq!(read(&app).await.json, expected);
    }
    // Null resets a field to its default.
    let reset = json!({ "excludedChannelIds": null, "priority": null, "minVideoSeconds": null });
    let reply = change(&app, Method::PATCH, reset, None).await;
    let defaults = json!({ "minVideoSeconds": null, "includeThreads": "all",
        "excludedChannelIds": [], "storeText": true, "priority": 5 });
    assert_eq!(reply.json, defaults);
    assert_eq!(
        change(&app, Method::PATCH, json!({}), None).await.json,
        defaults
    );
}

#[tokio::test]
async fn a_field_that_is_misspelled_changes_nothing() {
    let app = system().await;
    change(
        &app,
        Method::PUT,
        json!({ "excludedChannelIds": excluded() }),
        None,
    )
    .await;
    for method in [Method::PUT, Method::PATCH] {
        let reply = change(&app, method, json!({ "minVideoSecond": 5 }), None).await;
        assert_eq!(reply.status, 400);
        assert_eq!(
            reply.text("/detail"),
            "minVideoSecond: unknown field; did you mean minVideoSeconds?"
        );
    }
    assert_eq!(read(&app).await.json["excludedChannelIds"], excluded());
}

#[tokio::test]
async fn a_change_with_if_match_is_made_only_to_what_was_seen() {
    let app = system().await;
    let seen = read(&app).await;
    let seen = seen.header("etag").unwrap().to_owned();
    let first = change(&app, Method::PATCH, json!({ "priority": 1 }), Some(&seen)).await;
    assert_eq!(first.status, 200);
    let now = first.header("etag").unwrap().to_owned();
    assert_ne!(seen, now);
    for method in [Method::PUT, Method::PATCH] {
        for stale in [seen.clone(), format!("W/{now}"), "\"x\", \"y\"".to_owned()] {
            let body = json!({ "priority": 7 });
            let reply = change(&app, method.clone(), body, Some(&stale)).await;
            assert_eq!(
                (reply.status, reply.text("/code")),
                (412, "precondition_failed")
            );
        }
        let wrong = change(&app, method, json!({ "priority": 7 }), Some("abc")).await;
        assert_eq!(wrong.status, 400);
    }
    assert_eq!(read(&app).await.json["priority"], 1);
    assert_eq!(read(&app).await.header("etag"), Some(now.as_str()));
    let put = change(&app, Method::PUT, json!({ "priority": 4 }), Some(&now)).await;
    assert_eq!((put.status, &put.json["priority"]), (200, &json!(4)));
    let any = change(&app, Method::PUT, json!({ "priority": 6 }), Some("*")).await;
    assert_eq!(any.status, 200);
}

#[tokio::test]
async fn changes_made_at_once_are_all_made() {
    let app = system().await;
    let (a, b, c) = tokio::join!(
        change(&app, Method::PATCH, json!({ "priority": 2 }), None),
        change(
            &app,
            Method::PATCH,
            json!({ "includeThreads": "none" }),
            None
        ),
        change(&app, Method::PATCH, json!({ "minVideoSeconds": 9 }), None),
    );
    assert_eq!([a.status, b.status, c.status], [200; 3]);
    let all = json!({ "minVideoSeconds": 9.0, "includeThreads": "none",
        "excludedChannelIds": [], "storeText": true, "priority": 2 });
    assert_eq!(read(&app).await.json, all);
}

#[tokio::test]
async fn a_change_whose_reply_was_lost_is_made_once() {
    for (method, body) in [
        (Method::PATCH, json!({ "priority": 2 })),
        (Method::PUT, json!({ "priority": 2 })),
    ] {
        let app = system().await;
        let seen = read(&app).await.header("etag").unwrap().to_owned();
        let lost = Fault::new(FaultAction::DropAfterCommit).matching("guild:settings");
        // The first request only reads.
        app.endpoint.faults().add(Fault { skip: 1, ..lost });
        let reply = change(&app, method, body, Some(&seen)).await;
        assert!(app.endpoint.faults().fired() > 0);
        assert_eq!((reply.status, &reply.json["priority"]), (200, &json!(2)));
        assert_eq!(read(&app).await.json["priority"], 2);
    }
}

#[tokio::test]
async fn a_guild_the_bot_cannot_see_has_no_settings() {
    let app = system().await;
    let path = format!("/api/guilds/{}/settings", GUILD + 77);
    assert_eq!(app.get(&path).await.status, 404);
    for method in [Method::PUT, Method::PATCH] {
        let request = app.http().request(method, app.path(&path));
        let reply = app.send(request.json(&json!({ "priority": 2 }))).await;
        assert_eq!(
            (reply.status, reply.text("/code")),
            (404, "guild_not_found")
        );
    }
    let stored = app.store().stored_settings(&(GUILD + 77).to_string()).await;
    assert_eq!(stored.unwrap(), None);
}
