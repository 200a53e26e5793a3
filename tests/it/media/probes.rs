//! Looks into the clips that a scan has found, from the scan to the list of clips.

use std::time::Duration;

use discord_local::guild::{AttachmentSpec, MessageSpec};
use discord_local::{Action, Fault};
use integration::{Options, TestApp};
use serde_json::{Value, json};

use super::fixture;
use crate::scan::{CHANNEL, FIRST_MS, GUILD, guild_with};

/// How long after its clips are found a job begins at the latest.
const COLLECTED: Duration = Duration::from_secs(20);

/// A system that looks into clips, with a channel in which each of these was posted.
async fn site(videos: Vec<AttachmentSpec>) -> TestApp {
    let mut guild = guild_with(0, 1);
    for (n, video) in videos.into_iter().enumerate() {
        let spec = MessageSpec::text("look").at_ms(FIRST_MS + n as i64 * 60_000);
        guild.add_message(CHANNEL, spec.attachment(video));
    }
    TestApp::start(Options {
        guild,
        probes: Some(Duration::from_secs(10)),
        ..Options::default()
    })
    .await
}

/// The same, scanned, with the job stored that looks into the clips.
async fn scanned(videos: Vec<AttachmentSpec>) -> TestApp {
    let app = site(videos).await;
    app.scan(CHANNEL, json!({})).await;
    let report = app.drain().await;
    assert_eq!(
        (&report["completed"], &report["clip"]["claimed"]),
        (&json!(1), &json!(0))
    );
    app
}

/// Waits until the job is due, and drains.
async fn look(app: &TestApp) -> Value {
    app.advance(COLLECTED);
    app.drain().await["clip"].clone()
}

/// The clips as the route lists them, by file name.
async fn listed(app: &TestApp) -> Vec<Value> {
    let reply = app
        .get(&format!("/api/guilds/{GUILD}/clips?limit=100"))
        .await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    let mut clips = reply.json["clips"].as_array().unwrap().clone();
    clips.sort_by_key(|clip| clip["filename"].as_str().unwrap().to_owned());
    clips
}

/// What each clip's probe came to: its state or its error, by file name.
async fn outcomes(app: &TestApp) -> Vec<(String, String)> {
    let clips = listed(app).await;
    let word = |value: &Value| value.as_str().map(str::to_owned);
    let outcomes = clips.iter().map(|clip| {
        let outcome = word(&clip["probeError"]).or(word(&clip["probe"]));
        (word(&clip["filename"]).unwrap(), outcome.unwrap())
    });
    outcomes.collect()
}

fn video(name: &str) -> AttachmentSpec {
    AttachmentSpec::video(name)
}

#[tokio::test]
async fn a_scan_is_followed_by_a_look_into_its_clips() {
    let turned = video("a.mp4").content(&fixture("rotated-90.mp4"));
    let recorded = video("b.webm").content(&fixture("vp9-without-duration.webm"));
    let app = scanned(vec![turned, recorded.declared_secs(None)]).await;
    for clip in listed(&app).await {
        assert_eq!(clip["probe"], "pending", "{clip}");
        assert!(clip["durationProbed"].is_null(), "{clip}");
    }
    assert_eq!(look(&app).await["completed"], 1);
    let clips = listed(&app).await;
    let turned = json!({
        "probe": "ok", "durationDeclared": 12.0, "durationProbed": 2.0, "durationSeconds": 2.0,
        "width": 36, "height": 64, "rotation": 90, "codec": "h264",
    });
    crate::assert_has(&clips[0], &turned);
    crate::assert_has(
        &clips[1],
        &json!({ "probe": "ok", "codec": "vp9", "rotation": 0 }),
    );
    let seconds = clips[1]["durationSeconds"].as_f64().unwrap();
    assert!((seconds - 2.0).abs() < 0.2, "{seconds}");
    // Nothing is left to do.
    assert_eq!(look(&app).await["claimed"], 0);
}

#[tokio::test]
async fn a_clip_that_turns_out_too_short_is_removed_and_one_of_unknown_length_is_kept() {
    let lasts = |seconds| Duration::from_secs(seconds);
    let app = site(vec![
        video("a-short.mp4")
            .duration(lasts(3))
            .declared_secs(Some(30.0)),
        video("b-long.mp4").duration(lasts(30)).declared_secs(None),
        video("c-unknown.mp4")
            .content(b"GIF89a, not a video")
            .declared_secs(None),
        video("d-declared.mp4")
            .content(b"GIF89a, not a video")
            .declared_secs(Some(30.0)),
    ])
    .await;
    let settings = json!({ "minVideoSeconds": 10 });
    app.put(&format!("/api/guilds/{GUILD}/settings"), &settings)
        .await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    assert_eq!(listed(&app).await.len(), 4);
    look(&app).await;
    let names = |(name, outcome): &(String, String)| format!("{name}: {outcome}");
    let outcomes: Vec<String> = outcomes(&app).await.iter().map(names).collect();
    assert_eq!(
        outcomes,
        [
            "b-long.mp4: ok",
            "c-unknown.mp4: unsupported",
            "d-declared.mp4: unsupported"
        ]
    );
    assert_eq!(listed(&app).await[1]["durationSeconds"], Value::Null);
    // It stays removed when its message is read again.
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    look(&app).await;
    assert_eq!(listed(&app).await.len(), 3);
}

#[tokio::test]
async fn a_file_that_cannot_be_read_costs_its_own_clip_the_result_and_nothing_else() {
    let app = TestApp::start(Options {
        guild: {
            let names = ["cut", "damaged", "fine", "huge", "lies", "moved", "stalls"];
            let mut guild = guild_with(0, 1);
            for (n, name) in names.into_iter().enumerate() {
                let video = video(&format!("{name}.mp4"));
                let video = match name {
                    "cut" => video.content(&fixture("moov-at-end.mp4")[..9000]),
                    "damaged" => video.content(b"\0\0\0\x08ftyp\0\0\0\x03moov"),
                    "huge" => video.size_bytes(4_000_000_000).moov_at_end(),
                    _ => video,
                };
                let spec = MessageSpec::text("look").at_ms(FIRST_MS + n as i64 * 60_000);
                guild.add_message(CHANNEL, spec.attachment(video));
            }
            guild
        },
        // In real time, for the file that stalls.
        probes: Some(Duration::from_millis(400)),
        ..Options::default()
    })
    .await;
    let fault = |action, name: &str| app.discord.faults().add(Fault::always(action).on(name));
    fault(Action::WrongTotal(5), "lies.mp4");
    fault(
        Action::Redirect("http://127.0.0.1:1/".to_owned()),
        "moved.mp4",
    );
    fault(Action::Stall, "stalls.mp4");
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let report = look(&app).await;
    crate::assert_has(
        &report,
        &json!({ "completed": 1, "failed": 0, "retried": 0 }),
    );
    let outcomes = outcomes(&app).await;
    let outcomes: Vec<&str> = outcomes
        .iter()
        .map(|(_, outcome)| outcome.as_str())
        .collect();
    assert_eq!(
        outcomes,
        [
            "incomplete",
            "damaged",
            "ok",
            "ok",
            "changed",
            "redirected",
            "too_slow"
        ]
    );
}

#[tokio::test]
async fn an_expired_address_is_renewed_through_its_message() {
    let app = scanned(vec![video("a.mp4"), video("b.mp4"), video("c.mp4")]).await;
    let gone = app.discord.guild().message_ids(CHANNEL)[2];
    app.discord.delete_message(CHANNEL, gone);
    // The addresses of the scan are valid for 25 hours.
    app.advance(Duration::from_secs(26 * 3600));
    app.discord.clear_requests();
    assert_eq!(app.drain().await["clip"]["completed"], 1);
    let expected = [("a.mp4", "ok"), ("b.mp4", "ok"), ("c.mp4", "gone")];
    let expected = expected.map(|(name, outcome)| (name.to_owned(), outcome.to_owned()));
    assert_eq!(outcomes(&app).await, expected);
    let requests = app.discord.requests();
    let asked = |part: &str| {
        requests
            .iter()
            .filter(|seen| seen.path.contains(part))
            .count()
    };
    // No address that says it has expired is tried.
    assert_eq!((asked("/messages/"), asked("/attachments/")), (3, 2));
}

#[tokio::test]
async fn an_address_that_is_refused_is_renewed_once() {
    let app = scanned(vec![video("a.mp4")]).await;
    let refused = Fault::always(Action::Status(404)).on("/attachments/");
    app.discord.faults().add(refused.clone().times(1));
    look(&app).await;
    assert_eq!(outcomes(&app).await[0].1, "ok");

    let app = scanned(vec![video("a.mp4")]).await;
    app.discord.faults().add(refused);
    app.discord.clear_requests();
    look(&app).await;
    assert_eq!(outcomes(&app).await[0].1, "gone");
    // The file, the message, and the file again.
    assert_eq!(app.discord.requests().len(), 3);
}

#[tokio::test]
async fn a_server_that_is_unavailable_is_tried_again_later() {
    let app = scanned(vec![video("a.mp4"), video("b.mp4")]).await;
    let away = Fault::always(Action::Status(503)).on("/attachments/");
    app.discord.faults().add(away.clone().on("a.mp4").times(2));
    let report = look(&app).await;
    crate::assert_has(&report, &json!({ "snoozed": 1, "completed": 0 }));
    let pending = |(_, outcome): &(String, String)| outcome == "pending";
    let waiting: Vec<_> = outcomes(&app).await.into_iter().filter(pending).collect();
    assert_eq!(waiting.len(), 1);
    let mut runs = 0;
    while outcomes(&app).await.iter().any(pending) {
        app.advance(Duration::from_secs(70));
        app.drain().await;
        runs += 1;
        assert!(runs < 3);
    }
    assert_eq!(outcomes(&app).await[0].1, "ok");
}

#[tokio::test]
async fn a_server_that_stays_unavailable_is_given_up() {
    let app = scanned(vec![video("a.mp4")]).await;
    app.discord
        .faults()
        .add(Fault::always(Action::Status(503)).on("/attachments/"));
    let began = app.clock.now_ms();
    look(&app).await;
    while outcomes(&app).await[0].1 == "pending" {
        app.advance(Duration::from_secs(60));
        app.drain().await;
        assert!(app.clock.now_ms() - began < 3 * 3_600_000, "it never ends");
    }
    assert_eq!(outcomes(&app).await[0].1, "unavailable");
    assert!(
        app.clock.now_ms() - began > 40 * 60_000,
        "it gave up too soon"
    );
}

#[tokio::test]
async fn a_file_that_could_not_be_reached_is_tried_when_its_message_is_read_again() {
    let unreachable = Action::Stall;
    let app = TestApp::start(Options {
        guild: {
            let mut guild = guild_with(0, 1);
            for (n, name) in ["a.mp4", "b.mp4"].into_iter().enumerate() {
                let spec = MessageSpec::text("look").at_ms(FIRST_MS + n as i64 * 60_000);
                guild.add_message(CHANNEL, spec.attachment(video(name)));
            }
            guild
        },
        probes: Some(Duration::from_millis(400)),
        ..Options::default()
    })
    .await;
    let faults = app.discord.faults();
    faults.add(Fault::always(unreachable).on("a.mp4"));
    faults.add(Fault::always(Action::WrongTotal(5)).on("b.mp4"));
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    look(&app).await;
    let codes = async || {
        let outcomes = outcomes(&app).await;
        outcomes
            .into_iter()
            .map(|(_, code)| code)
            .collect::<Vec<_>>()
    };
    assert_eq!(codes().await, ["too_slow", "changed"]);
    faults.clear();
    let ids = app.discord.guild().message_ids(CHANNEL);
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let job = json!({
        "type": "message", "guildId": GUILD.to_string(),
        "channelId": CHANNEL.to_string(), "messageIds": ids,
    });
    assert_eq!(app.post("/api/jobs", &job).await.status, 202);
    app.drain().await;
    // What is wrong with the file itself stays as it was found.
    assert_eq!(codes().await, ["pending", "changed"]);
    look(&app).await;
    assert_eq!(codes().await, ["ok", "changed"]);
}

#[tokio::test]
async fn while_discord_limits_the_bot_expired_clips_wait_and_others_do_not() {
    let app = scanned(vec![video("a.mp4"), video("b.mp4")]).await;
    app.discord
        .faults()
        .add(Fault::once(Action::Status(404)).on("a.mp4"));
    let limited = Action::RateLimited {
        scope: discord_local::Scope::Global,
        retry_after_secs: 5.0,
    };
    app.discord
        .faults()
        .add(Fault::once(limited).on("/messages/"));
    let report = look(&app).await;
    crate::assert_has(&report, &json!({ "snoozed": 1, "failed": 0, "retried": 0 }));
    let states = outcomes(&app).await;
    assert_eq!(
        (states[0].1.as_str(), states[1].1.as_str()),
        ("pending", "ok")
    );
    app.advance(Duration::from_secs(10));
    app.drain().await;
    assert_eq!(outcomes(&app).await[0].1, "ok");
}

#[tokio::test]
async fn without_hosts_no_file_is_looked_into() {
    let app = TestApp::start(Options {
        guild: guild_with(10, 2),
        probes: None,
        ..Options::default()
    })
    .await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    app.discord.clear_requests();
    assert_eq!(look(&app).await["claimed"], 0);
    assert_eq!(app.discord.requests().len(), 0);
    assert_eq!(listed(&app).await[0]["probe"], "pending");
}

#[tokio::test]
async fn a_forward_scan_that_finds_only_known_clips_stores_no_job_that_looks_into_them() {
    let app = scanned(vec![video("a.mp4"), video("b.mp4")]).await;
    assert_eq!(look(&app).await["completed"], 1);
    // The last two minutes are read again.
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    assert_eq!(look(&app).await["claimed"], 0);
    let spec = MessageSpec::text("look").at_ms(FIRST_MS + 90_000);
    app.discord
        .add_message(CHANNEL, spec.attachment(video("c.mp4")));
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    assert_eq!(look(&app).await["completed"], 1);
    assert_eq!(outcomes(&app).await[2].1, "ok");
}
