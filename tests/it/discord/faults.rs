use std::time::Duration;

use discord_local::{Action, AttachmentSpec, Fault, Guild, MessageSpec, Scope};
use serde_json::{Value, json};

use super::{Answer, Fixture, ids, numbered};

const PATH: &str = "/channels/2/messages";

async fn answer_to(action: Action) -> Answer {
    let fixture = Fixture::start(numbered(5)).await;
    fixture.server.faults().add(Fault::once(action));
    let answer = fixture.get(PATH).await;
    assert_eq!(fixture.get(PATH).await.status, 200);
    answer
}

#[tokio::test]
async fn a_rate_limit_names_its_scope() {
    for (scope, name, is_global) in [
        (Scope::User, "user", false),
        (Scope::Global, "global", true),
        (Scope::Shared, "shared", false),
    ] {
        let retry_after_secs = 64.57;
        let answer = answer_to(Action::RateLimited {
            scope,
            retry_after_secs,
        })
        .await;
        assert_eq!(answer.status, 429);
        assert_eq!(answer.body["retry_after"], retry_after_secs);
        assert_eq!(answer.body["global"], is_global);
        assert_eq!(answer.header("retry-after"), "65");
        assert_eq!(answer.header("x-ratelimit-scope"), name);
        assert_eq!(answer.headers.contains_key("x-ratelimit-global"), is_global);
        assert_eq!(answer.header("x-ratelimit-limit"), "5");
    }
}

#[tokio::test]
async fn a_ban_is_html_with_a_long_wait_and_no_rate_limit_headers() {
    let answer = answer_to(Action::CloudflareBan).await;
    assert_eq!(answer.status, 429);
    assert!(answer.header("content-type").starts_with("text/html"));
    assert_eq!(answer.header("retry-after"), "82721");
    assert!(!answer.headers.contains_key("x-ratelimit-limit"));
}

#[tokio::test]
async fn a_block_is_json_that_does_not_say_how_long() {
    let answer = answer_to(Action::BlockedJson).await;
    assert_eq!(answer.refusal(), (429, 0));
    assert!(answer.body.get("retry_after").is_none());
    assert!(!answer.headers.contains_key("retry-after"));
    let message = answer.body["message"].as_str().unwrap();
    assert!(message.contains("blocked from accessing our API temporarily"));
}

#[tokio::test]
async fn statuses_come_with_json_or_html() {
    assert_eq!(answer_to(Action::Status(503)).await.refusal(), (503, 0));
    assert_eq!(answer_to(Action::Status(403)).await.refusal(), (403, 50001));
    assert_eq!(answer_to(Action::Unauthorized).await.refusal(), (401, 0));
    let html = answer_to(Action::HtmlBody(502)).await;
    assert_eq!(html.status, 502);
    assert!(html.body.as_str().unwrap().starts_with("<!DOCTYPE html>"));
}

#[tokio::test]
async fn truncated_json_comes_whole_as_http_and_broken_as_json() {
    let answer = answer_to(Action::TruncatedJson).await;
    assert_eq!(answer.status, 200);
    let text = answer.body.as_str().unwrap();
    assert!(text.starts_with("[{"));
    assert!(serde_json::from_str::<Value>(text).is_err());
}

#[tokio::test]
async fn one_broken_message_keeps_its_id_and_its_place() {
    let answer = answer_to(Action::BrokenMessage).await;
    assert_eq!(ids(&answer.body), [1_004, 1_003, 1_002, 1_001, 1_000]);
    assert!(answer.body[2]["attachments"].is_string());
    assert!(answer.body[2].get("author").is_none());
    assert!(answer.body[1]["attachments"].is_array());
}

#[tokio::test]
async fn oldest_first_turns_the_page_around() {
    let answer = answer_to(Action::OldestFirst).await;
    assert_eq!(ids(&answer.body), [1_000, 1_001, 1_002, 1_003, 1_004]);
}

#[tokio::test]
async fn a_dropped_connection_gives_no_answer() {
    let fixture = Fixture::start(numbered(1)).await;
    fixture
        .server
        .faults()
        .add(Fault::once(Action::DropConnection));
    let error = fixture.request(PATH).send().await.unwrap_err();
    assert!(!error.is_timeout() && error.status().is_none());
    assert_eq!(fixture.server.requests()[0].status, 0);
    assert_eq!(fixture.get(PATH).await.status, 200);
}

#[tokio::test]
async fn a_stopped_server_answers_no_more_on_open_connections_either() {
    let fixture = Fixture::start(numbered(1)).await;
    assert_eq!(fixture.get(PATH).await.status, 200);
    let request = fixture.request(PATH);
    fixture.server.stop().await;
    assert!(request.send().await.is_err());
}

#[tokio::test]
async fn a_delayed_answer_is_late() {
    let fixture = Fixture::start(numbered(1)).await;
    let delay = Action::Delay(Duration::from_secs(600));
    fixture.server.faults().add(Fault::once(delay));
    let request = fixture.request(PATH).timeout(Duration::from_millis(50));
    assert!(request.send().await.unwrap_err().is_timeout());
    assert_eq!(fixture.get(PATH).await.status, 200);
}

#[tokio::test]
async fn messages_deleted_between_pages_are_not_on_the_second() {
    let fixture = Fixture::start(numbered(6)).await;
    let delete = Action::DeleteBetweenPages(vec![1_003, 1_001]);
    fixture.server.faults().add(Fault::once(delete).skip(1));
    let first = fixture.ids(&format!("{PATH}?limit=3")).await;
    assert_eq!(first, [1_005, 1_004, 1_003]);
    let second = fixture.ids(&format!("{PATH}?limit=3&before=1003")).await;
    assert_eq!(second, [1_002, 1_000]);
}

#[tokio::test]
async fn a_missing_intent_can_be_a_fault_and_shows_in_the_flags() {
    let mut guild = Guild::empty(1);
    guild.add_text_channel(2, "clips");
    guild.add_message(2, MessageSpec::video("goal.mp4"));
    let fixture = Fixture::start(guild).await;
    fixture
        .server
        .faults()
        .add(Fault::always(Action::MissingContentIntent));
    let page = fixture.get(PATH).await.body;
    assert_eq!(page[0]["attachments"], json!([]));
    let application = fixture.get("/applications/@me").await.body;
    assert_eq!(
        application["flags"].as_u64().unwrap() & (1 << 18 | 1 << 19),
        0
    );
}

#[tokio::test]
async fn a_fault_meets_only_the_paths_it_names_and_the_cdn_only_if_named() {
    let mut guild = Guild::empty(1);
    guild.add_text_channel(2, "clips");
    guild.add_message(
        2,
        MessageSpec::default().attachment(AttachmentSpec::video("goal.mp4")),
    );
    let fixture = Fixture::start(guild).await;
    let page = fixture.get(PATH).await.body;
    let url = page[0]["attachments"][0]["url"].as_str().unwrap();
    let fetch = async || {
        let request = fixture.client.get(url).header("range", "bytes=0-9");
        request.send().await.unwrap().status().as_u16()
    };
    let faults = fixture.server.faults();

    faults.add(Fault::once(Action::Status(500)));
    assert_eq!(fetch().await, 206);
    faults.clear();
    faults.add(Fault::once(Action::Status(500)).on("/attachments/"));
    assert_eq!(fixture.get(PATH).await.status, 200);
    assert_eq!(fetch().await, 500);
    faults.add(Fault::once(Action::IgnoreRange));
    assert_eq!(fetch().await, 200);
    faults.add(Fault::once(Action::Status(500)).on("before="));
    assert_eq!(fixture.get(PATH).await.status, 200);
    assert_eq!(fixture.get(&format!("{PATH}?before=9")).await.status, 500);
    assert_eq!(faults.pending(), []);
}

#[tokio::test]
async fn faults_and_requests_can_be_steered_over_http() {
    let fixture = Fixture::start(numbered(1)).await;
    let base = fixture.server.cdn_url();
    let faults = format!("{base}/control/faults");
    let post = async |fault: Value| {
        let request = fixture.client.post(&faults).json(&fault);
        request.send().await.unwrap().status().as_u16()
    };

    assert_eq!(
        post(json!({ "action": { "status": 503 }, "path_contains": "messages" })).await,
        204
    );
    assert_eq!(
        post(json!({ "action": "drop_connection", "skip": 9, "times": 2 })).await,
        204
    );
    assert_eq!(post(json!({ "action": "explode" })).await, 400);
    assert_eq!(fixture.server.faults().pending().len(), 2);
    assert_eq!(fixture.get(PATH).await.status, 503);
    let cleared = fixture.client.delete(&faults).send().await.unwrap();
    assert_eq!(cleared.status(), 204);
    assert_eq!(fixture.server.faults().pending(), []);

    let requests = format!("{base}/control/requests");
    let seen = fixture.client.get(requests).send().await.unwrap();
    let seen: Value = seen.json().await.unwrap();
    assert_eq!(seen[0]["status"], 503);
    assert_eq!(seen.as_array().unwrap().len(), 1);
}
