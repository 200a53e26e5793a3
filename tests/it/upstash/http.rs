//! The wire contract: request forms, encodings, status codes.

use reqwest::StatusCode;
use serde_json::{Value, json};
use upstash_local::{Limits, Options};

use super::endpoint::Endpoint;

#[tokio::test]
async fn a_path_is_a_command_with_its_body_and_query_behind() {
    let endpoint = Endpoint::start().await;
    let sent = endpoint
        .post("/set/a%2Fb?EX=100")
        .body("value")
        .send()
        .await
        .unwrap();
    assert_eq!(sent.json::<Value>().await.unwrap(), json!({"result": "OK"}));
    assert_eq!(endpoint.run(json!(["GET", "a/b"])).await, json!("value"));
    assert_eq!(endpoint.run(json!(["TTL", "a/b"])).await, json!(100));
    let url = format!(
        "{}/get/a%2Fb?_token={}",
        endpoint.server.url(),
        endpoint.server.token()
    );
    let got = endpoint.client.get(url).send().await.unwrap();
    assert_eq!(
        got.json::<Value>().await.unwrap(),
        json!({"result": "value"})
    );
}

#[tokio::test]
async fn numbers_and_booleans_arrive_by_their_source_text() {
    let endpoint = Endpoint::start().await;
    let body = r#"["RPUSH","l",9223372036854775807,12345678901234567890,1.50,1e+21,true,false]"#;
    endpoint.post("/").body(body).send().await.unwrap();
    assert_eq!(
        endpoint.run(json!(["LRANGE", "l", 0, -1])).await,
        json!([
            "9223372036854775807",
            "12345678901234567890",
            "1.50",
            "1e+21",
            "true",
            "false"
        ])
    );
    endpoint.run(json!(["SET", "n", "9007199254740993"])).await;
    let text = endpoint
        .post("/incr/n")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert_eq!(text, r#"{"result":9007199254740994}"#);
}

#[tokio::test]
async fn a_wrong_or_missing_token_is_unauthorized() {
    let endpoint = Endpoint::start().await;
    let url = endpoint.server.url();
    for request in [
        endpoint.client.post(&url).body("[\"PING\"]"),
        endpoint
            .client
            .post(&url)
            .bearer_auth("other")
            .body("[\"PING\"]"),
        endpoint.client.get(format!("{url}/ping?_token=other")),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["error"], "WRONGPASS invalid or missing auth token");
    }
    assert_eq!(endpoint.server.meter().total, 0);
}

#[tokio::test]
async fn other_methods_are_refused() {
    let endpoint = Endpoint::start().await;
    let url = format!("{}/ping", endpoint.server.url());
    let request = endpoint
        .client
        .delete(&url)
        .bearer_auth(endpoint.server.token());
    assert_eq!(
        request.send().await.unwrap().status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
    let request = endpoint
        .client
        .put(&url)
        .bearer_auth(endpoint.server.token());
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn base64_covers_every_string_but_ok() {
    let endpoint = Endpoint::start().await;
    let encoded = |command: Value| {
        endpoint
            .post("/")
            .header("Upstash-Encoding", "base64")
            .body(command.to_string())
            .send()
    };
    let set = encoded(json!(["SET", "k", "OK"])).await.unwrap();
    assert_eq!(set.json::<Value>().await.unwrap(), json!({"result": "OK"}));
    let nested = encoded(json!(["MGET", "k", "missing"])).await.unwrap();
    assert_eq!(
        nested.json::<Value>().await.unwrap(),
        json!({"result": ["T0s=", null]})
    );
    endpoint
        .post("/set/bin")
        .body(vec![0xff, 0x00, 0x80])
        .send()
        .await
        .unwrap();
    let binary = encoded(json!(["GET", "bin"])).await.unwrap();
    assert_eq!(
        binary.json::<Value>().await.unwrap(),
        json!({"result": "/wCA"})
    );
    assert_eq!(
        endpoint.run(json!(["GET", "bin"])).await,
        json!("\u{fffd}\u{0}\u{fffd}")
    );
}

#[tokio::test]
async fn resp2_is_raw_and_goes_with_neither_base64_nor_transactions() {
    let endpoint = Endpoint::start().await;
    let raw = endpoint
        .post("/")
        .header("Upstash-Response-Format", "resp2");
    let response = raw.body(r#"["MGET","a"]"#).send().await.unwrap();
    assert_eq!(
        response.headers()["content-type"],
        "application/octet-stream"
    );
    assert_eq!(response.text().await.unwrap(), "*1\r\n$-1\r\n");
    for (path, header, value) in [
        ("/", "Upstash-Encoding", "base64"),
        ("/multi-exec", "Accept", "*/*"),
    ] {
        let request = endpoint
            .post(path)
            .header("Upstash-Response-Format", "resp2")
            .header(header, value);
        let response = request.body(r#"["PING"]"#).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn each_reply_carries_another_sync_token() {
    let endpoint = Endpoint::start().await;
    let mut tokens = Vec::new();
    for _ in 0..3 {
        let response = endpoint.try_send("/", &json!(["PING"])).await.unwrap();
        tokens.push(
            response.headers()["upstash-sync-token"]
                .to_str()
                .unwrap()
                .to_owned(),
        );
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 3);
}

#[tokio::test]
async fn what_is_no_command_is_a_bad_request_and_costs_nothing() {
    let endpoint = Endpoint::start().await;
    for body in [
        "",
        "{}",
        "[]",
        "[null]",
        "not json",
        "[\"NOSUCH\"]",
        "[\"GET\"]",
        "[\"BLPOP\",\"a\",0]",
        "[\"MULTI\"]",
    ] {
        let response = endpoint.post("/").body(body).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{body}");
        assert!(response.json::<Value>().await.unwrap()["error"].is_string());
    }
    assert_eq!(endpoint.server.meter().total, 0);
}

#[tokio::test]
async fn requests_and_keys_have_a_largest_size() {
    let limits = Limits {
        request_bytes: 100_000,
        ..Limits::default()
    };
    let endpoint = Endpoint::with(Options {
        limits,
        ..Options::default()
    })
    .await;
    let error = endpoint
        .error(json!(["SET", "k", "x".repeat(100_000)]))
        .await;
    assert_eq!(error, "ERR max request size exceeded");
    let error = endpoint
        .error(json!(["GET", "x".repeat(32 * 1024 + 1)]))
        .await;
    assert_eq!(
        error,
        "ERR max key size exceeded. Limit: 32768 bytes, Actual: 32769 bytes"
    );
}

#[tokio::test]
async fn each_token_has_a_database_of_its_own() {
    let tokens = vec!["one".to_owned(), "two".to_owned()];
    let endpoint = Endpoint::with(Options {
        tokens,
        ..Options::default()
    })
    .await;
    endpoint.run(json!(["SET", "k", "first"])).await;
    let other = endpoint
        .client
        .get(format!("{}/get/k", endpoint.server.url()))
        .bearer_auth("two");
    let body: Value = other.send().await.unwrap().json().await.unwrap();
    assert_eq!(body, json!({"result": null}));
}

#[tokio::test]
async fn the_meter_bills_each_command_and_those_inside_scripts() {
    let endpoint = Endpoint::start().await;
    endpoint
        .eval(
            "redis.call('set', KEYS[1], 1) return redis.call('get', KEYS[1])",
            &["k"],
            &[],
        )
        .await;
    endpoint
        .batch("/pipeline", json!([["GET", "k"], ["NOSUCH"], ["GET", "k"]]))
        .await;
    endpoint.batch("/multi-exec", json!([["INCR", "k"]])).await;
    let meter = endpoint.server.meter();
    assert_eq!(meter.total, 6);
    assert_eq!(meter.commands["eval"], 1);
    assert_eq!(meter.commands["get"], 3);
    assert_eq!(meter.requests["pipeline"], 1);
    endpoint.server.reset_meter();
    assert_eq!(endpoint.server.meter().total, 0);
}

#[tokio::test]
async fn a_scan_returns_every_key_once() {
    let endpoint = Endpoint::start().await;
    let commands: Vec<Value> = (0..300)
        .map(|n| json!(["SET", format!("k{n}"), n]))
        .collect();
    endpoint.batch("/pipeline", json!(commands)).await;
    let (mut cursor, mut seen) = (json!("0"), Vec::new());
    loop {
        let page = endpoint.run(json!(["SCAN", cursor, "COUNT", 7])).await;
        seen.extend(page[1].as_array().unwrap().iter().map(Value::to_string));
        cursor = page[0].clone();
        if cursor == "0" {
            break;
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 300);
}
