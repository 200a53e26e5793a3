//! What the routes of schedules accept, refuse and show.

use serde_json::{Value, json};

use super::{MINUTE, of_channel, scheduled};
use crate::scan::{CHANNEL, GUILD};

fn of_guild() -> String {
    format!("/api/guilds/{GUILD}/schedule")
}

#[tokio::test]
async fn a_schedule_is_shown_as_it_was_put_until_it_is_removed() {
    let app = scheduled().await;
    for path in [of_guild(), of_channel(CHANNEL)] {
        let body = json!({ "cron": "0 4 * * MON", "timeZone": "America/Sao_Paulo",
            "options": { "minVideoSeconds": 2 } });
        let put = app.put(&path, &body).await;
        assert_eq!(put.status, 200, "{}", put.json);
        for (name, value) in body.as_object().unwrap() {
            let shown = match name.as_str() {
                "options" => json!({ "minVideoSeconds": 2.0 }),
                _ => value.clone(),
            };
            assert_eq!(put.json[name], shown, "{name}");
        }
        assert_eq!(put.json["everyMinutes"], Value::Null);
        let got = app.get(&path).await;
        assert_eq!((got.status, &got.json), (200, &put.json));
        assert!(got.json["nextRunAt"].as_i64() > Some(app.clock.now_ms()));
        assert_eq!(app.delete(&path).await.status, 204);
        assert_eq!(app.delete(&path).await.status, 204);
        let gone = app.get(&path).await;
        assert_eq!(gone.json["nextRunAt"], Value::Null);
        assert_eq!(gone.json["guildId"], GUILD.to_string());
    }
}

#[tokio::test]
async fn the_schedules_of_a_guild_and_its_channels_are_apart() {
    let app = scheduled().await;
    app.put(&of_guild(), &json!({ "everyMinutes": 60 })).await;
    assert_eq!(app.get(&of_channel(CHANNEL)).await.json["everyMinutes"], 15);
    app.delete(&of_channel(CHANNEL)).await;
    assert_eq!(app.get(&of_guild()).await.json["everyMinutes"], 60);
}

#[tokio::test]
async fn what_cannot_be_scheduled_is_refused_and_changes_nothing() {
    let app = scheduled().await;
    let path = of_channel(CHANNEL);
    let before = app.get(&path).await.json;
    for (body, pointer) in [
        (json!({}), "/everyMinutes"),
        (json!({ "everyMinutes": 0 }), "/everyMinutes"),
        (json!({ "everyMinutes": 525_601 }), "/everyMinutes"),
        (json!({ "everyMinutes": 1.5 }), "/everyMinutes"),
        (json!({ "everyMinutes": "15" }), "/everyMinutes"),
        (json!({ "everyMinutes": 5, "cron": "* * * * *" }), "/cron"),
        (json!({ "everyMinutes": 5, "timeZone": "UTC" }), "/timeZone"),
        (json!({ "everyMinute": 5 }), "/everyMinute"),
        (json!({ "cron": "* * * * * *" }), "/cron"),
        (json!({ "cron": "0 0 30 2 *" }), "/cron"),
        (json!({ "cron": "每 天 4 * *" }), "/cron"),
        (
            json!({ "cron": "0 4 * * *", "timeZone": "Europe/Bärlin" }),
            "/timeZone",
        ),
        (
            json!({ "everyMinutes": 5, "options": { "maxMessages": 0 } }),
            "/options/maxMessages",
        ),
    ] {
        let reply = app.put(&path, &body).await;
        assert_eq!(reply.status, 400, "{body}");
        assert_eq!(reply.text("/errors/0/pointer"), pointer, "{body}");
    }
    assert_eq!(app.get(&path).await.json, before);
    let reply = app.put(&path, &json!({ "cron": "61 * * * *" })).await;
    let detail = reply.text("/errors/0/detail");
    assert!(detail.starts_with("expected a minute (0-59)"), "{detail}");
}

#[tokio::test]
async fn what_the_bot_cannot_see_has_no_schedule() {
    let app = scheduled().await;
    let body = json!({ "everyMinutes": 5 });
    let elsewhere = format!("/api/guilds/{}/schedule", GUILD + 77);
    for (path, code) in [
        (elsewhere, "guild_not_found"),
        (of_channel(CHANNEL + 77), "channel_not_found"),
    ] {
        let reply = app.put(&path, &body).await;
        assert_eq!((reply.status, reply.text("/code")), (404, code));
    }
    let bad = app.put(&of_channel(7), &body).await;
    assert_eq!(bad.status, 400);
}

#[tokio::test]
async fn a_changed_schedule_counts_from_its_change() {
    let app = scheduled().await;
    app.advance(14 * MINUTE);
    let changed = app
        .put(&of_channel(CHANNEL), &json!({ "everyMinutes": 20 }))
        .await;
    let next = app.clock.now_ms() + 20 * 60_000;
    assert_eq!(changed.json["nextRunAt"], next);
    app.advance(MINUTE);
    assert_eq!(app.drain().await["claimed"], 0, "the slot of before");
    app.advance(19 * MINUTE);
    assert_eq!(app.drain().await["completed"], 1);
}
