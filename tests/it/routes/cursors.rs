//! Paging through the lists to the end.

use std::time::Duration;

use integration::TestApp;
use serde_json::{Value, json};

use crate::scan::{CHANNEL, GUILD, guild_with};

/// Six scans of missing channels, which failed one after the other.
async fn with_failed() -> TestApp {
    let app = TestApp::with_guild(guild_with(10, 1)).await;
    for n in 1..=6 {
        app.scan(CHANNEL + n, json!({})).await;
        app.drain().await;
        app.advance(Duration::from_secs(1));
    }
    app
}

/// The pages of a list, as the IDs of their items.
async fn pages(app: &TestApp, path: &str, items: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let separator = if path.contains('?') { '&' } else { '?' };
        let reply = app.get(&format!("{path}{separator}cursor={cursor}")).await;
        assert_eq!(reply.status, 200, "{}", reply.json);
        let ids = reply.json[items].as_array().unwrap().iter();
        pages.push(
            ids.map(|item| item["id"].as_str().unwrap().to_owned())
                .collect(),
        );
        match reply.json["nextCursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return pages,
        }
    }
}

#[tokio::test]
async fn the_last_page_has_no_cursor_also_when_it_is_full() {
    let app = with_failed().await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let clips = format!("/api/guilds/{GUILD}/clips");
    for (path, items, n) in [("/api/jobs?state=failed", "jobs", 6), (&clips, "clips", 10)] {
        for limit in [1, 2, 3, 5, 6, 10, 100] {
            let separator = if path.contains('?') { '&' } else { '?' };
            let pages = pages(&app, &format!("{path}{separator}limit={limit}"), items).await;
            let sizes: Vec<usize> = pages.iter().map(Vec::len).collect();
            assert_eq!(sizes.iter().sum::<usize>(), n, "{path} {sizes:?}");
            assert!(
                sizes.iter().all(|size| *size > 0),
                "{path} by {limit}: {sizes:?}"
            );
            let mut all: Vec<&String> = pages.iter().flatten().collect();
            all.sort();
            all.dedup();
            assert_eq!(all.len(), n, "each once");
        }
    }
    app.leaves_failed(6);
}

#[tokio::test]
async fn finished_jobs_are_listed_newest_first() {
    let app = with_failed().await;
    for n in 0..5 {
        let body = json!({ "type": "message", "guildId": GUILD.to_string(),
            "channelId": CHANNEL.to_string(), "messageIds": [format!("12345678901234567{n}")] });
        assert_eq!(app.post("/api/jobs", &body).await.status, 202);
        app.drain().await;
        app.advance(Duration::from_secs(1));
    }
    for state in ["completed", "failed"] {
        let mut times = Vec::new();
        for page in pages(&app, &format!("/api/jobs?state={state}&limit=2"), "jobs").await {
            for id in page {
                times.push(app.job(&id).await["finishedAt"].as_i64().unwrap());
            }
        }
        assert!(
            times.len() >= 5 && times.is_sorted_by(|a, b| a > b),
            "{state} {times:?}"
        );
    }
    app.leaves_failed(6);
}

#[tokio::test]
async fn without_a_state_jobs_of_every_state_are_listed() {
    let app = with_failed().await;
    let done = app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let cancelled = app.scan(CHANNEL + 20, json!({})).await;
    app.delete(&format!("/api/jobs/{cancelled}")).await;
    let waiting = app.scan(CHANNEL + 21, json!({})).await;
    let later = app.clock.now_ms() + 3_600_000;
    let delayed = app.scan(CHANNEL + 22, json!({ "runAt": later })).await;
    for limit in [1, 2, 3, 100] {
        let listed = pages(&app, &format!("/api/jobs?limit={limit}"), "jobs")
            .await
            .concat();
        assert_eq!(listed.len(), 10, "by {limit}");
        assert_eq!(listed[..2], [waiting.clone(), delayed.clone()]);
        assert_eq!((&listed[2], &listed[9]), (&cancelled, &done));
        let mut once = listed.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), 10);
    }
    app.endpoint.reset_meter();
    app.get("/api/jobs?limit=3").await;
    assert_eq!(app.cost().1, 1, "one round trip");
    app.leaves_unfinished(2);
    app.leaves_failed(6);
}

#[tokio::test]
async fn a_cursor_is_good_for_the_query_it_came_from_alone() {
    let app = with_failed().await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let clips = format!("/api/guilds/{GUILD}/clips");
    let cursor = async |path: &str| {
        let reply = app.get(path).await.json;
        reply["nextCursor"].as_str().unwrap().to_owned()
    };
    let of_failed = cursor("/api/jobs?state=failed&limit=2").await;
    let of_clips = cursor(&format!("{clips}?limit=2")).await;
    let other_guild = format!("/api/guilds/{}/clips", GUILD + 5);
    for (path, cursor) in [
        ("/api/jobs?state=completed", of_failed.clone()),
        ("/api/jobs", of_failed.clone()),
        ("/api/jobs?state=failed", format!("{of_failed}7")),
        ("/api/jobs?state=failed", format!("7{of_failed}")),
        ("/api/jobs?state=failed", of_failed.replacen('-', "-1", 1)),
        ("/api/jobs?state=failed", of_clips.clone()),
        ("/api/jobs?state=failed", "x".to_owned()),
        (&other_guild, of_clips.clone()),
        (&clips, format!("{of_clips}0")),
        (&format!("{clips}?minSeconds=5"), of_clips.clone()),
    ] {
        let separator = if path.contains('?') { '&' } else { '?' };
        let reply = app.get(&format!("{path}{separator}cursor={cursor}")).await;
        assert_eq!(reply.status, 400, "{path} {cursor}");
        let detail: &Value = &reply.json["detail"];
        assert_eq!(
            detail,
            "cursor: expected the nextCursor of an earlier reply to the same query"
        );
    }
    // The page size may change between pages, and a trailing slash makes no difference.
    for path in [
        format!("/api/jobs?state=failed&limit=50&cursor={of_failed}"),
        format!("/api/jobs?cursor={of_failed}&state=failed"),
        format!("/api/jobs/?state=failed&cursor={of_failed}"),
    ] {
        let reply = app.get(&path).await;
        assert_eq!(reply.json["jobs"].as_array().unwrap().len(), 4, "{path}");
    }
    app.leaves_failed(6);
}
