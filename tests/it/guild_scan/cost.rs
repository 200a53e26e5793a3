//! What a guild scan costs.

use std::time::Duration;

use discord_local::{Action, Fault};
use integration::{Options, TestApp};
use serde_json::json;
use shared::config::QueueConfig;

use super::{begin, finish, guild_of, scan_all, show};
use crate::scan::CHANNEL;

#[tokio::test]
async fn a_guild_scan_of_fifty_channels_costs_what_the_golden_file_says() {
    let (to_plan, app, _) = planned(50).await;
    app.leaves_any_jobs();
    let app = TestApp::with_guild(guild_of(50)).await;
    // The first scan makes the endpoint cache the scripts. The second finds nothing new.
    scan_all(&app, &json!({})).await;
    app.advance(Duration::from_secs(1000));
    past_the_chores(&app);
    app.endpoint.reset_meter();
    let scan = begin(&app, &json!({ "scanMode": "backfill" })).await;
    let to_request = app.cost();
    app.endpoint.reset_meter();
    app.drain().await;
    let to_scan = app.cost().0;
    app.endpoint.reset_meter();
    app.advance(Duration::from_secs(5));
    app.drain().await;
    let to_end = app.cost().0;
    assert_eq!(app.job(&scan).await["state"], "completed");
    // How many channels a drainer claims at once varies, and with it the last digits.
    let of_each = to_scan.div_ceil(250) * 5;
    let lines = [
        format!(
            "the request: {} billed, {} round trips",
            to_request.0, to_request.1
        ),
        format!("from the claim of the guild scan to that of its first channel: {to_plan} billed"),
        format!("all of it until the last channel is read: at most {of_each} billed a channel"),
        format!("the last look, with the drainer's own commands: {to_end} billed"),
    ];
    crate::golden("guild-scan-of-50-channels", &lines);
}

/// The commands from the claim of a guild scan to the first request for one of its `n`
/// channels, and the whole system.
async fn planned(n: u64) -> (u64, TestApp, String) {
    let mut guild = discord_local::Guild::empty(crate::scan::GUILD);
    for channel in CHANNEL..CHANNEL + n {
        guild.add_text_channel(channel, "empty");
    }
    let usual = Options::default();
    let app = TestApp::start(Options {
        guild,
        // One job at a time: no channel is scanned before all are stored.
        queue: QueueConfig {
            active_limit: Some(1),
            ..usual.queue
        },
        ..usual
    })
    .await;
    // The scripts are cached by a scan of one channel.
    let options = json!({ "includeThreads": "none" });
    let one = json!({ "channels": { "include": [CHANNEL.to_string()] }, "options": options });
    scan_all(&app, &one).await;
    past_the_chores(&app);
    app.endpoint.reset_meter();

    let scan = begin(&app, &json!({ "options": options })).await;

    // The route stores one job, whatever the size of the guild.
    assert!(app.cost().0 <= 12, "{:?}", app.cost());
    app.discord.clear_requests();
    app.endpoint.reset_meter();
    let first = format!("/channels/{}", CHANNEL / 1000);
    let held = Fault::once(Action::Delay(Duration::from_secs(3600)));
    app.discord.faults().add(held.on(&first));
    let drain = app.functions.drain.clone();
    let dying = tokio::spawn(async move { drain.handle(json!({}), 0).await });
    while !app
        .discord
        .requests()
        .iter()
        .any(|r| r.path.contains(&first))
    {
        tokio::task::yield_now().await;
    }
    let billed = app.cost().0;
    dying.abort();
    assert!(dying.await.is_err());
    (billed, app, scan)
}

#[tokio::test]
async fn a_guild_of_500_channels_is_planned_for_under_a_tenth_of_a_command_a_channel() {
    let (of_one, app, _) = planned(1).await;
    app.leaves_unfinished(2);
    let (of_500, app, scan) = planned(500).await;
    // Including the storing of 499 jobs, a hundred in each call.
    let more = of_500 - of_one;
    assert!(
        more * 10 < 499,
        "{of_one} for one, {of_500} for five hundred"
    );
    let counts = show(&app, &scan).await["counts"].clone();
    assert_eq!(counts["total"], 500, "{counts}");

    app.advance(Duration::from_secs(61));
    let shown = finish(&app, &scan).await;
    assert_eq!(shown["counts"]["succeeded"], 500, "{}", shown["counts"]);
}

/// Moves the clock out of the minute in which the hourly chores run.
fn past_the_chores(app: &TestApp) {
    let past = app.clock.now_ms().rem_euclid(3_600_000);
    app.advance(Duration::from_millis((3_600_000 - past + 120_000) as u64));
}
