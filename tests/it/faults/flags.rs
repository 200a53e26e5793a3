//! What a flag switches off is refused under any fault, and a flag keeps the value that
//! was set.

use integration::{START_MS, TestApp};
use serde_json::json;
use shared::clock::Clock;
use shared::flags::{Flags, Rule, SCANS_OFF};
use shared::redis::Pipeline;

use super::{Struck, at_every_request};
use crate::scan::{CHANNEL, GUILD, guild_with};

#[tokio::test]
async fn a_rule_that_was_answered_is_the_one_that_is_read() {
    at_every_request(async |struck| {
        let server = integration::start_endpoint().await;
        let clock = Clock::manual(START_MS);
        let redis = crate::limits::client(&server, &clock);
        let flags = Flags::new("trawl:");
        flags.set(&redis, "f", &Rule::ON).await.unwrap();
        struck.arm(&server);
        let rule = Rule::allow(&["7"]);
        let set = flags.set(&redis, "f", &rule).await;
        assert!(set.is_ok() || !struck.passes(), "{set:?}");
        let mut pipeline = Pipeline::new();
        let slot = flags.add_read(&mut pipeline, &["f"]);
        let read = async {
            let mut replies = pipeline.send(&*redis).await?;
            flags.read(&mut replies, slot)
        };
        let read = read.await;
        // The flag is either read or an error; it never counts as off by mistake.
        if let Ok(rules) = read {
            assert!(rules.is_on("f", "7"));
            assert!(set.is_err() || !rules.is_on("f", "8"));
        }
        let fired = server.faults().fired();
        Struck::disarm(&server);
        let now = flags.get(&redis, "f").await.unwrap();
        assert!(now == rule || (set.is_err() && now == Rule::ON), "{now:?}");
        let removed = flags.remove(&redis, "f").await;
        assert!(removed.unwrap() && flags.all(&redis).await.unwrap().is_empty());
        fired
    })
    .await;
}

#[tokio::test]
async fn a_scan_that_is_switched_off_is_never_taken_on() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    let flags = Flags::new("trawl:");
    let place = json!({ "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string() });
    // The endpoint has cached the scripts.
    let known = app.scan(CHANNEL + 1, json!({})).await;
    app.delete(&format!("/api/jobs/{known}")).await;
    flags.set(&app.redis, SCANS_OFF, &Rule::ON).await.unwrap();
    at_every_request(async |struck| {
        let before = app.endpoint.faults().fired();
        struck.arm(&app.endpoint);
        let reply = app.post("/api/jobs/scan", &place).await;
        assert_eq!(reply.status, 503, "{}", reply.json);
        assert!(reply.text("/code") == "switched_off" || !struck.passes());
        let fired = app.endpoint.faults().fired() - before;
        Struck::disarm(&app.endpoint);
        let counts = app.queue().counts().await.unwrap();
        let unfinished = counts.iter().filter(|(state, _)| !state.is_finished());
        assert_eq!(unfinished.map(|(_, n)| n).sum::<u64>(), 0);
        fired
    })
    .await;
}
