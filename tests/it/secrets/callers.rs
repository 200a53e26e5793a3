//! The API keys of callers.

use std::time::Duration;

use super::{ADMIN_KEY, API_KEY, MINUTE, status, with_kept};

const OLD: &str = "the-key-of-last-month";
const NEW: &str = "the-key-of-this-month";
const ADMIN: &str = "the-key-of-the-admin";

#[tokio::test]
async fn a_replaced_key_is_refused_when_the_values_are_five_minutes_old() {
    let (app, ssm) = with_kept(&[(API_KEY, OLD), (ADMIN_KEY, ADMIN)]).await;
    ssm.put(API_KEY.1, NEW);
    app.advance(Duration::from_secs(299));
    assert_eq!(status(&app, OLD).await, 200);
    assert_eq!(ssm.calls().len(), 1);
    app.advance(Duration::from_secs(1));
    assert_eq!(status(&app, OLD).await, 401);
    assert_eq!(status(&app, NEW).await, 200);
    assert_eq!(ssm.calls().len(), 2);
    // Read again five minutes later, at the first request.
    app.advance(5 * MINUTE);
    assert_eq!(status(&app, NEW).await, 200);
    assert_eq!(status(&app, NEW).await, 200);
    assert_eq!(ssm.calls().len(), 3);
}

#[tokio::test]
async fn a_new_key_is_accepted_on_its_first_use() {
    let (app, ssm) = with_kept(&[(API_KEY, OLD), (ADMIN_KEY, ADMIN)]).await;
    ssm.put(API_KEY.1, NEW);
    app.advance(MINUTE);
    assert_eq!(status(&app, NEW).await, 200);
    assert_eq!(status(&app, OLD).await, 401);
}

#[tokio::test]
async fn unknown_keys_cause_one_lookup_a_minute() {
    let (app, ssm) = with_kept(&[(API_KEY, OLD), (ADMIN_KEY, ADMIN)]).await;
    // As many as one IP address may try in a while.
    for _ in 0..3 {
        assert_eq!(status(&app, "a-guess-of-somebody").await, 401);
    }
    assert_eq!(ssm.calls().len(), 1);
    app.advance(MINUTE);
    for _ in 0..2 {
        assert_eq!(status(&app, "a-guess-of-somebody").await, 401);
    }
    // Without a key, there is nothing to look up.
    app.advance(MINUTE);
    let bare = app.http().get(app.path("/api/jobs?state=waiting"));
    assert_eq!(app.send_plain(bare).await.status, 401);
    assert_eq!(ssm.calls().len(), 2);
}

#[tokio::test]
async fn invalid_keys_are_not_accepted() {
    let (app, ssm) = with_kept(&[(API_KEY, OLD), (ADMIN_KEY, ADMIN)]).await;
    // Too short, the admin key, and a deleted key.
    for wrong in ["short", ADMIN] {
        ssm.put(API_KEY.1, wrong);
        app.advance(5 * MINUTE);
        assert_eq!(status(&app, OLD).await, 200);
        assert_eq!(status(&app, "short").await, 401);
    }
    let admin = app.http().get(app.path("/api/admin/queues"));
    assert_eq!(app.send_plain(admin.bearer_auth(OLD)).await.status, 403);
    ssm.delete(API_KEY.1);
    app.advance(5 * MINUTE);
    assert_eq!(status(&app, OLD).await, 200);
    ssm.put(API_KEY.1, NEW);
    app.advance(MINUTE);
    assert_eq!(status(&app, NEW).await, 200);
}

#[tokio::test]
async fn a_session_started_with_a_new_key_is_accepted_by_functions_with_the_old_one() {
    let (app, ssm) = with_kept(&[(API_KEY, OLD), (ADMIN_KEY, ADMIN)]).await;
    ssm.put(API_KEY.1, NEW);
    app.advance(MINUTE);
    let sign_in = app
        .http()
        .post(app.path("/api/sessions"))
        .json(&serde_json::json!({ "key": NEW }));
    let signed_in = app.send_plain(sign_in).await;
    assert_eq!(signed_in.status, 201, "{}", signed_in.json);
    let cookie = signed_in.header("set-cookie").unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let read = app.http().get(app.path("/api/jobs?state=waiting"));
    assert_eq!(
        app.send_plain(read.header("cookie", cookie)).await.status,
        200
    );
}
