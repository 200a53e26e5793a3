//! Flags can be read and set, and the routes obey them.

use integration::TestApp;
use serde_json::{Value, json};

use super::{get, put};
use crate::scan::{CHANNEL, GUILD, guild_with};

const PATH: &str = "/api/admin/flags/scans-off";

fn scan(guild: u64) -> Value {
    json!({ "guildId": guild.to_string(), "channelId": CHANNEL.to_string() })
}

/// The status of a request to scan this guild.
async fn answer(app: &TestApp, guild: u64) -> u16 {
    app.post("/api/jobs/scan", &scan(guild)).await.status
}

#[tokio::test]
async fn scans_are_switched_off_for_all_for_some_and_on_again() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    let other = GUILD + 1;
    assert_eq!(answer(&app, GUILD).await, 202);
    let shown = put(&app, PATH, &json!({ "on": true })).await;
    assert_eq!(
        (shown.status, &shown.json),
        (
            200,
            &json!({ "name": "scans-off", "on": true, "percent": 0, "allow": [] })
        )
    );
    let refused = app.post("/api/jobs/scan", &scan(GUILD)).await;
    assert_eq!(
        (
            refused.status,
            refused.text("/code"),
            refused.header("retry-after")
        ),
        (503, "switched_off", Some("300"))
    );
    assert_eq!(
        refused.text("/detail"),
        "an operator has switched scans off"
    );
    put(&app, PATH, &json!({ "allow": [GUILD.to_string()] })).await;
    assert_eq!(
        (answer(&app, GUILD).await, answer(&app, other).await),
        (503, 202)
    );
    put(&app, PATH, &json!({})).await;
    assert_eq!(answer(&app, GUILD).await, 202);
    app.leaves_unfinished(2);
}

#[tokio::test]
async fn a_percentage_of_the_guilds_is_switched_off_and_stays_so() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    let off = async |percent: u64| {
        put(&app, PATH, &json!({ "percent": percent })).await;
        let mut off = Vec::new();
        for n in 0..60 {
            if answer(&app, GUILD + n).await == 503 {
                off.push(n);
            }
        }
        off
    };
    let (none, some, all) = (off(0).await, off(40).await, off(100).await);
    assert_eq!((none.len(), all.len()), (0, 60));
    assert!((12..36).contains(&some.len()), "{some:?}");
    assert_eq!(off(40).await, some);
    app.leaves_unfinished(60);
}

#[tokio::test]
async fn a_list_with_a_switched_off_scan_stores_nothing_but_message_jobs_are_accepted() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    put(&app, PATH, &json!({ "allow": [GUILD.to_string()] })).await;
    let batch = |guild: u64| json!({ "type": "batch", "guildId": guild.to_string(), "channelId": CHANNEL.to_string() });
    let both = json!([batch(GUILD + 1), batch(GUILD)]);
    assert_eq!(app.post("/api/jobs", &both).await.status, 503);
    let waiting = app.get("/api/jobs?state=waiting").await;
    assert_eq!(waiting.json["jobs"], json!([]));
    let message = json!({ "type": "message", "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string(), "messageIds": [CHANNEL.to_string()] });
    assert_eq!(app.post("/api/jobs", &message).await.status, 202);
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn a_request_refused_by_a_flag_may_be_repeated_with_its_idempotency_key() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    let post = async || {
        let request = app.http().post(app.path("/api/jobs/scan"));
        let request = request.header("idempotency-key", "k").json(&scan(GUILD));
        app.send(request).await.status
    };
    put(&app, PATH, &json!({ "on": true })).await;
    assert_eq!(post().await, 503);
    put(&app, PATH, &json!({})).await;
    assert_eq!(post().await, 202);
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn flags_are_shown_with_their_complete_rules() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    let off = json!({ "name": "scans-off", "on": false, "percent": 0, "allow": [] });
    assert_eq!(get(&app, PATH).await.json, off);
    assert_eq!(
        get(&app, "/api/admin/flags").await.json,
        json!({ "flags": [off] })
    );
    let rule = json!({ "percent": 7, "allow": [GUILD.to_string()] });
    let set = put(&app, PATH, &rule).await.json;
    assert_eq!(
        (&set["percent"], &set["allow"][0]),
        (&json!(7), &json!(GUILD.to_string()))
    );
    assert_eq!(get(&app, PATH).await.json, set);
    assert_eq!(get(&app, "/api/admin/flags").await.json["flags"][0], set);
}

#[tokio::test]
async fn an_invalid_rule_or_name_is_refused_and_only_an_admin_sets_a_flag() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    for (rule, detail) in [
        (
            json!({ "percent": 101 }),
            "percent: expected a whole number from 0 to 100",
        ),
        (json!({ "on": "yes" }), "on: expected `true` or `false`"),
        (
            json!({ "allow": ["5"] }),
            "allow[0]: expected a Discord id, 15 to 20 digits without a leading zero, in quotes",
        ),
        (
            json!({ "allow": vec![GUILD.to_string(); 1001] }),
            "allow: expected an array of at most 1000 ids",
        ),
    ] {
        let reply = put(&app, PATH, &rule).await;
        assert_eq!((reply.status, reply.text("/detail")), (400, detail));
    }
    let unknown = put(&app, "/api/admin/flags/scan-off", &json!({ "on": true })).await;
    assert_eq!(unknown.status, 404);
    assert_eq!(app.put(PATH, &json!({ "on": true })).await.status, 403);
    assert_eq!(app.get(PATH).await.status, 403);
    assert_eq!(app.endpoint.meter().total, 0);
}
