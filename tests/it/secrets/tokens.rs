//! Tokens that services reject.

use std::time::Duration;

use integration::TestApp;
use serde_json::json;

use super::{ADMIN_KEY, API_KEY, DISCORD, REDIS, status, with_kept};
use crate::scan::CHANNEL;

const KEY: &str = TestApp::API_KEY;

#[tokio::test]
async fn a_token_redis_refuses_is_read_anew_and_the_call_made_again() {
    let (app, ssm) = with_kept(&[(REDIS, "of-last-month")]).await;
    ssm.put(REDIS.1, app.endpoint.token());
    app.advance(Duration::from_secs(10));
    assert_eq!(status(&app, KEY).await, 200);
    assert_eq!(ssm.calls().len(), 2);
    assert_eq!(status(&app, KEY).await, 200);
    assert_eq!(ssm.calls().len(), 2);
}

#[tokio::test]
async fn a_call_that_must_not_run_twice_runs_once_with_the_new_token() {
    let (app, ssm) = with_kept(&[(REDIS, "of-last-month")]).await;
    ssm.put(REDIS.1, app.endpoint.token());
    app.advance(Duration::from_secs(10));
    let id = app.scan(CHANNEL, json!({})).await;
    assert_eq!(app.job(&id).await["state"], "waiting");
    let listed = app.get("/api/jobs?state=waiting").await;
    assert_eq!(listed.json["jobs"].as_array().unwrap().len(), 1);
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn a_refused_token_is_looked_up_at_most_once_in_ten_seconds() {
    let (app, ssm) = with_kept(&[(REDIS, "wrong")]).await;
    // The token was read just now, so it is not read again.
    assert_eq!(status(&app, KEY).await, 503);
    assert_eq!(ssm.calls().len(), 1);
    app.advance(Duration::from_secs(10));
    for _ in 0..3 {
        assert_eq!(status(&app, KEY).await, 503);
    }
    assert_eq!(ssm.calls().len(), 2);
    // An operator fixes the token.
    ssm.put(REDIS.1, app.endpoint.token());
    app.advance(Duration::from_secs(10));
    assert_eq!(status(&app, KEY).await, 200);
    assert_eq!(ssm.calls().len(), 3);
}

#[tokio::test]
async fn calls_refused_at_the_same_time_share_one_look() {
    let (app, ssm) = with_kept(&[(REDIS, "of-last-month")]).await;
    ssm.put(REDIS.1, app.endpoint.token());
    app.advance(Duration::from_secs(10));
    let all = futures_util::future::join_all((0..8).map(|_| status(&app, KEY))).await;
    assert_eq!(all, [200; 8]);
    assert_eq!(ssm.calls().len(), 2);
}

#[tokio::test]
async fn a_scan_goes_on_with_the_token_the_bot_was_given_anew() {
    let (app, ssm) = with_kept(&[(DISCORD, "of-last-month")]).await;
    ssm.put(DISCORD.1, "Bot sample-bot-token\n");
    app.advance(Duration::from_secs(10));
    let id = app.scan(CHANNEL, json!({})).await;
    assert_eq!(app.drain().await["completed"], 1);
    let job = app.job(&id).await;
    crate::assert_has(&job, &json!({ "state": "completed", "errors": [] }));
    assert_eq!(ssm.calls().len(), 2);
}

#[tokio::test]
async fn all_the_secrets_of_a_function_are_one_call() {
    let (app, ssm) = with_kept(&[
        (API_KEY, "the-api-key-0123456789"),
        (DISCORD, "sample-bot-token"),
        (REDIS, "of-last-month"),
        (ADMIN_KEY, "the-admin-key-0123456789"),
    ])
    .await;
    ssm.put(REDIS.1, app.endpoint.token());
    app.advance(Duration::from_secs(10));
    assert_eq!(status(&app, "the-api-key-0123456789").await, 200);
    let names = [ADMIN_KEY.1, API_KEY.1, DISCORD.1, REDIS.1];
    assert_eq!(ssm.calls(), [names, names]);
}
