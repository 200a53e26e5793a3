//! Events that are none: each is one failed invocation at most.

use integration::lambda::Answer;
use serde_json::{Value, json};

use super::{KEY, plain_function, request};

/// What no event source of ours sends.
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
async fn no_event_ends_a_route() {
    let endpoint = integration::start_endpoint().await;
    let mut jobs = plain_function("jobs", &endpoint).await;
    for event in poison() {
        let text = String::from_utf8_lossy(&event[..event.len().min(60)]).into_owned();
        match jobs.invoke(event).await {
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
    let good = request("GET", "/api/jobs?state=waiting", KEY, "");
    assert_eq!(jobs.invoke(&good).await.reply()["statusCode"], 200);
}

#[tokio::test]
async fn no_event_ends_a_drainer_and_whatever_is_json_starts_it() {
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
