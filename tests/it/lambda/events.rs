//! Malformed events. Each causes at most one failed invocation.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use integration::lambda::{Answer, Process};
use serde_json::{Value, json};

use super::{KEY, plain_function, request};

/// Payloads that none of the configured event sources sends.
fn poison() -> Vec<Vec<u8>> {
    let mut deep = "[".repeat(5000);
    deep.push_str(&"]".repeat(5000));
    let mut rest_api = request("GET", "/api/jobs", KEY, "");
    rest_api["version"] = json!("1.0");
    let mut no_version = request("GET", "/api/jobs", KEY, "");
    no_version.as_object_mut().unwrap().remove("version");
    let mut bad_base64 = request("POST", "/api/jobs", KEY, "not base64!");
    bad_base64["isBase64Encoded"] = json!(true);
    let huge = request("POST", "/api/jobs", KEY, &"x".repeat(6_000_000));
    [
        b"".to_vec(),
        b"{".to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"\"text\"".to_vec(),
        b"{}".to_vec(),
        vec![0xff, 0xfe, 0x00],
        deep.into_bytes(),
    ]
    .into_iter()
    .chain([rest_api, no_version, bad_base64, huge].map(|event| event.to_string().into_bytes()))
    .collect()
}

#[tokio::test]
async fn no_event_crashes_a_function_with_routes() {
    let endpoint = integration::start_endpoint().await;
    for name in ["jobs", "enqueue"] {
        outlives(plain_function(name, &endpoint).await).await;
    }
}

async fn outlives(mut route: Process) {
    for event in poison() {
        let text = String::from_utf8_lossy(&event[..event.len().min(60)]).into_owned();
        match route.invoke(event).await {
            Answer::Failure(kind, message) => {
                assert!(!kind.is_empty() && !message.is_empty(), "{text}");
                assert!(!kind.contains("panic"), "{text}: {kind}");
            }
            Answer::Reply(reply) => {
                let status = reply["statusCode"].as_u64().unwrap();
                assert!((200..500).contains(&status), "{text}: {reply}");
            }
        }
    }
    let other = request("GET", "/api/nothing", KEY, "");
    assert_eq!(route.invoke(&other).await.reply()["statusCode"], 404);
}

#[tokio::test]
async fn a_body_may_come_as_base64() {
    let endpoint = integration::start_endpoint().await;
    let mut enqueue = plain_function("enqueue", &endpoint).await;
    let body = r#"{"guildId":"1200000000000000000","channelId":"1200000000000000001"}"#;
    let mut event = request("POST", "/api/jobs/scan", KEY, &BASE64_STANDARD.encode(body));
    event["isBase64Encoded"] = json!(true);
    let reply = enqueue.invoke(&event).await.reply();
    assert_eq!(reply["statusCode"], 202, "{reply}");
}

#[tokio::test]
async fn a_drain_without_a_database_fails_with_a_named_error() {
    let endpoint = integration::start_endpoint().await;
    let mut drain = plain_function("drain", &endpoint).await;
    drain.ready().await;
    endpoint.stop().await;
    let answer = drain.invoke(&json!({ "source": "aws.scheduler" })).await;
    let Answer::Failure(kind, message) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(kind, "DrainFailed");
    assert!(!message.contains("token"), "{message}");
}

#[tokio::test]
async fn no_event_crashes_a_drainer_and_any_json_starts_it() {
    let endpoint = integration::start_endpoint().await;
    let mut drain = plain_function("drain", &endpoint).await;
    for event in poison() {
        let is_json = serde_json::from_slice::<Value>(&event).is_ok();
        let text = String::from_utf8_lossy(&event[..event.len().min(60)]).into_owned();
        match drain.invoke(event).await {
            Answer::Reply(report) => assert_eq!(report["claimed"], 0, "{text}"),
            Answer::Failure(kind, _) => assert!(!is_json, "{text}: {kind}"),
        }
    }
}
