//! Schedules while Redis or Discord misbehave.

use discord_local::{Action, Fault as DiscordFault};
use upstash_local::{Fault, FaultAction};

use super::{MINUTE, jobs, scanned, scheduled};
use crate::scan::CHANNEL;

#[tokio::test]
async fn a_lost_reply_at_any_request_of_a_look_leaves_one_job() {
    for action in [FaultAction::DropBefore, FaultAction::DropAfterCommit] {
        for skip in 0..8 {
            let app = scheduled().await;
            app.advance(15 * MINUTE);
            let fault = Fault {
                skip,
                ..Fault::new(action)
            };
            app.endpoint.faults().add(fault);
            app.drain().await;
            app.drain().await;
            assert_eq!(jobs(&app).await.len(), 1, "{action:?} after {skip}");
            assert_eq!(scanned(&app, CHANNEL).await, 30, "{action:?} after {skip}");
        }
    }
}

#[tokio::test]
async fn while_discord_is_away_the_scan_waits_and_goes_on_alone() {
    let app = scheduled().await;
    app.advance(15 * MINUTE);
    app.discord
        .faults()
        .add(DiscordFault::once(Action::Status(503)).on("/channels/"));
    app.drain().await;
    let waiting = jobs(&app).await;
    assert_eq!(waiting.len(), 1);
    // Nobody asks Discord again before the pause is over.
    for _ in 0..3 {
        app.advance(15 * MINUTE);
        app.drain().await;
    }
    let all = jobs(&app).await;
    assert_eq!((all.len(), &all[0]["state"]), (1, &"completed".into()));
    assert_eq!(scanned(&app, CHANNEL).await, 30);
}

#[tokio::test]
async fn a_change_that_was_cut_in_half_is_repaired() {
    let app = scheduled().await;
    let (redis, due) = (&app.redis, "trawl:schedule:due");
    use shared::redis::commands::{Hashes as _, SortedSets as _};
    // The script died after its first write: a member without a schedule.
    redis
        .zadd(due, &[(1.0, "1200000000000000009@gone")])
        .await
        .unwrap();
    app.advance(15 * MINUTE);
    app.drain().await;
    assert_eq!(redis.zcard(due).await.unwrap(), 1);
    // A removal died between its two writes.
    let name = format!("{}:{CHANNEL}", crate::scan::GUILD);
    redis.hdel("trawl:schedule:rules", &[&name]).await.unwrap();
    app.advance(15 * MINUTE);
    app.drain().await;
    assert_eq!(redis.zcard(due).await.unwrap(), 0);
    assert_eq!(jobs(&app).await.len(), 1);
}
