//! Notices while the receiver or Redis misbehave.

use std::time::Duration;

use integration::TestApp;
use serde_json::{Value, json};
use upstash_local::{Fault, FaultAction};

use super::{MINUTE, Receiver, everything, path, subscribe, system};
use crate::scan::CHANNEL;

/// The job that sends the notice.
async fn notice(app: &TestApp) -> Value {
    let jobs = app.get("/api/jobs?limit=100").await.json["jobs"].clone();
    let jobs = jobs.as_array().unwrap().iter();
    let mut notices = jobs.filter(|job| job["type"] == "notice");
    let found = notices.next().expect("there is a notice").clone();
    assert!(notices.next().is_none());
    found
}

#[tokio::test]
async fn a_receiver_that_is_away_gets_the_notice_later() {
    let (app, receiver) = (system().await, Receiver::start().await);
    subscribe(&app, &receiver, &everything()).await;
    receiver.will_answer(&[(500, "oh"), (503, "no")]);
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    for _ in 0..10 {
        app.advance(5 * MINUTE);
        app.drain().await;
    }
    let got = receiver.got();
    assert_eq!(got.len(), 3);
    assert!(got.iter().all(|one| one.body.len() == got[0].body.len()));
    assert!(got.iter().all(|one| one.delivery == got[0].delivery));
    let job = notice(&app).await;
    assert_eq!(
        (&job["state"], &job["returnvalue"]["itemsSent"]),
        (&json!("completed"), &json!(1))
    );
    assert_eq!(job["errors"][0]["errorCode"], "webhook_unreachable");
}

#[tokio::test]
async fn a_receiver_says_how_long_to_wait() {
    let (app, receiver) = (system().await, Receiver::start().await);
    subscribe(&app, &receiver, &everything()).await;
    receiver.will_answer(&[(429, "{\"retry_after\": 300.5}")]);
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    app.advance(4 * MINUTE);
    app.drain().await;
    assert_eq!(receiver.got().len(), 1);
    app.advance(MINUTE + Duration::from_secs(10));
    app.drain().await;
    assert_eq!(receiver.got().len(), 2);
    assert_eq!(
        notice(&app).await["attemptsMade"],
        1,
        "a wait costs no attempt"
    );
}

#[tokio::test]
async fn an_address_that_refuses_is_not_asked_again() {
    for (status, message) in [
        (404, "the webhook does not exist any more (status 404)"),
        (400, "the webhook refused the notice (status 400)"),
        (
            302,
            "the webhook redirects elsewhere: set its final address",
        ),
    ] {
        let (app, receiver) = (system().await, Receiver::start().await);
        subscribe(&app, &receiver, &everything()).await;
        receiver.will_answer(&[(status, "")]);
        app.scan(CHANNEL, json!({})).await;
        app.drain().await;
        let job = notice(&app).await;
        assert_eq!(
            (&job["state"], &job["errorMessage"]),
            (&json!("failed"), &json!(message))
        );
        app.advance(60 * MINUTE);
        app.drain().await;
        assert_eq!(receiver.got().len(), 1, "{status}");
        app.leaves_failed(1);
    }
}

#[tokio::test]
async fn what_was_to_be_told_goes_with_the_webhook() {
    let (app, receiver) = (system().await, Receiver::start().await);
    subscribe(&app, &receiver, &everything()).await;
    receiver.will_answer(&[(500, "")]);
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    app.delete(&path()).await;
    app.advance(60 * MINUTE);
    app.drain().await;
    assert_eq!(receiver.got().len(), 1);
    assert_eq!(notice(&app).await["returnvalue"]["itemsSent"], 0);
}

#[tokio::test]
async fn a_lost_reply_of_redis_loses_no_notice() {
    for action in [FaultAction::DropBefore, FaultAction::DropAfterCommit] {
        for skip in 0..6 {
            let (app, receiver) = (system().await, Receiver::start().await);
            subscribe(&app, &receiver, &everything()).await;
            app.scan(CHANNEL, json!({})).await;
            let lost = Fault {
                skip,
                ..Fault::new(action).matching("notice")
            };
            app.endpoint.faults().add(lost);
            for _ in 0..5 {
                app.drain().await;
                app.advance(MINUTE);
            }
            let got = receiver.got();
            assert!(!got.is_empty(), "{action:?} after {skip}");
            let first = got[0].json()["items"][0]["scanId"].clone();
            assert!(
                got.iter()
                    .all(|one| one.json()["items"][0]["scanId"] == first)
            );
            app.leaves_any_jobs();
        }
    }
}
