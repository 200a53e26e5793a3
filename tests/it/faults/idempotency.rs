//! A request with an idempotency key takes effect once, and repetitions get the same
//! answer.

use std::time::Duration;

use integration::{Options, Reply, TestApp};
use serde_json::{Value, json};

use super::{Struck, at_every_request};
use crate::idempotency::{Bench, post, reply};

const ID: &str = "1200000000000000001";

fn message(n: u64) -> Value {
    json!({ "type": "message", "guildId": ID, "channelId": ID, "messageIds": [(1_200_000_000_000_000_100 + n).to_string()] })
}

async fn n_waiting(app: &TestApp) -> u64 {
    let counts = app.queue().counts().await.unwrap();
    let waiting = counts.iter().find(|(state, _)| state.as_str() == "waiting");
    waiting.map_or(0, |(_, n)| *n)
}

/// Retries until it is answered, as a client does after an error or a request to wait.
async fn insist(app: &TestApp, key: &str) -> Reply {
    for _ in 0..5 {
        let reply = post(app, key, &message(1)).await;
        if reply.status == 202 {
            return reply;
        }
        assert!([409, 503].contains(&reply.status), "{}", reply.json);
        app.advance(Duration::from_secs(30));
    }
    panic!("{key} was never answered");
}

#[tokio::test]
async fn a_request_takes_effect_once_and_repetitions_get_the_same_answer() {
    let app = TestApp::start(Options::default()).await;
    post(&app, "known", &message(0)).await;
    let n_cases = std::cell::Cell::new(0);
    at_every_request(async |struck| {
        n_cases.set(n_cases.get() + 1);
        let key = format!("k{}", n_cases.get());
        let (before, n_before) = (app.endpoint.faults().fired(), n_waiting(&app).await);
        struck.arm(&app.endpoint);
        let first = post(&app, &key, &message(1)).await;
        let fired = app.endpoint.faults().fired() - before;
        Struck::disarm(&app.endpoint);
        let answered = first.status == 202;
        assert!(answered || !struck.passes(), "{}", first.json);
        let second = insist(&app, &key).await;
        let third = insist(&app, &key).await;
        assert_eq!(third.json, second.json);
        assert_eq!(third.header("idempotency-replayed"), Some("true"));
        // Even if the outcome was unclear: the step that does the work also stores the
        // reply.
        assert_eq!(n_waiting(&app).await - n_before, 1);
        assert!(!answered || second.json == first.json, "{}", first.json);
        fired
    })
    .await;
    app.leaves_unfinished(50);
}

#[tokio::test]
async fn a_reply_is_stored_by_its_owner_alone_whatever_happens_to_its_requests() {
    at_every_request(async |struck| {
        let bench = Bench::start().await;
        let (first, second) = (bench.pending("x"), bench.pending("x"));
        bench.begin(&first).await;
        struck.arm(&bench.server);
        let (service, redis) = (&bench.service, &bench.redis);
        let stolen = service.complete(redis, &second, &reply("2")).await;
        assert!(!matches!(stolen, Ok(true)));
        let freed = service.give_up(redis, &second).await;
        assert!(!matches!(freed, Ok(true)));
        let stored = service.complete(redis, &first, &reply("1")).await;
        let fired = bench.server.faults().fired();
        Struck::disarm(&bench.server);
        assert!(stored.is_ok() || !struck.passes(), "{stored:?}");
        let found = bench.begin(&bench.pending("x")).await;
        let is_stored = found == shared::idempotency::RequestState::Done(reply("1"));
        assert!(is_stored || stored.is_err(), "{found:?}");
        // A reply that was stored before its answer was lost counts as stored.
        assert!(is_stored || !matches!(stored, Ok(true)));
        fired
    })
    .await;
}
