//! The HTTP API: request forms, encodings and status codes.

use reqwest::StatusCode;
use serde_json::{Value, json};
use upstash_local::{Limits, Options};

use super::Endpoint;

cases! {
    a_path_is_a_command_with_its_body_and_query_behind: Nothing,
    numbers_and_booleans_arrive_by_their_source_text: Nothing,
    a_wrong_or_missing_token_is_unauthorized: Nothing,
    other_methods_are_refused: Nothing,
    base64_covers_every_string_but_ok: Nothing,
    resp2_is_raw_and_goes_with_neither_base64_nor_transactions: Nothing,
    each_reply_carries_another_sync_token: Nothing,
    an_invalid_command_is_a_bad_request_and_costs_nothing: Nothing,
    a_request_has_a_largest_size: OwnServer,
    a_key_has_a_largest_size: Nothing,
    each_token_has_a_database_of_its_own: OwnServer,
    a_scan_returns_every_key_once: OwnDatabase,
}

async fn a_path_is_a_command_with_its_body_and_query_behind(endpoint: &Endpoint) {
    let sent = endpoint
        .post(&format!("/set/{}?EX=100", endpoint.key("a%2Fb")))
        .body("value")
        .send()
        .await
        .unwrap();
    assert_eq!(sent.json::<Value>().await.unwrap(), json!({"result": "OK"}));
    assert_eq!(endpoint.run(json!(["GET", "a/b"])).await, json!("value"));
    assert_eq!(endpoint.run(json!(["TTL", "a/b"])).await, json!(100));
    let url = format!(
        "{}/get/{}?_token={}",
        endpoint.url(),
        endpoint.key("a%2Fb"),
        endpoint.token()
    );
    let got = endpoint.client.get(url).send().await.unwrap();
    assert_eq!(
        got.json::<Value>().await.unwrap(),
        json!({"result": "value"})
    );
}

async fn numbers_and_booleans_arrive_by_their_source_text(endpoint: &Endpoint) {
    let values = "9223372036854775807,12345678901234567890,1.50,1e+21,true,false";
    let body = format!(r#"["RPUSH","{}",{values}]"#, endpoint.key("l"));
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
        .post(&format!("/incr/{}", endpoint.key("n")))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert_eq!(text, r#"{"result":9007199254740994}"#);
}

async fn a_wrong_or_missing_token_is_unauthorized(endpoint: &Endpoint) {
    let url = endpoint.url();
    for request in [
        endpoint.client.post(url).body("[\"PING\"]"),
        endpoint
            .client
            .post(url)
            .bearer_auth("other")
            .body("[\"PING\"]"),
        endpoint.client.get(format!("{url}/ping?_token=other")),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["error"], "WRONGPASS invalid or missing auth token");
    }
    if let Some(meter) = endpoint.meter() {
        assert_eq!(meter.total, 0);
    }
}

async fn other_methods_are_refused(endpoint: &Endpoint) {
    let url = format!("{}/ping", endpoint.url());
    let request = endpoint.client.delete(&url).bearer_auth(endpoint.token());
    assert_eq!(
        request.send().await.unwrap().status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
    let request = endpoint.client.put(&url).bearer_auth(endpoint.token());
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
}

async fn base64_covers_every_string_but_ok(endpoint: &Endpoint) {
    let encoded = |command: Value| {
        endpoint
            .post("/")
            .header("Upstash-Encoding", "base64")
            .body(command.to_string())
            .send()
    };
    let set = encoded(json!(["SET", endpoint.key("k"), "OK"]))
        .await
        .unwrap();
    assert_eq!(set.json::<Value>().await.unwrap(), json!({"result": "OK"}));
    let nested = encoded(json!(["MGET", endpoint.key("k"), endpoint.key("missing")]));
    let nested = nested.await.unwrap();
    assert_eq!(
        nested.json::<Value>().await.unwrap(),
        json!({"result": ["T0s=", null]})
    );
    endpoint
        .post(&format!("/set/{}", endpoint.key("bin")))
        .body(vec![0xff, 0x00, 0x80])
        .send()
        .await
        .unwrap();
    let binary = encoded(json!(["GET", endpoint.key("bin")])).await.unwrap();
    assert_eq!(
        binary.json::<Value>().await.unwrap(),
        json!({"result": "/wCA"})
    );
    assert_eq!(
        endpoint.run(json!(["GET", "bin"])).await,
        json!("\u{fffd}\u{0}\u{fffd}")
    );
}

async fn resp2_is_raw_and_goes_with_neither_base64_nor_transactions(endpoint: &Endpoint) {
    let raw = endpoint
        .post("/")
        .header("Upstash-Response-Format", "resp2");
    let response = raw
        .body(json!(["MGET", endpoint.key("a")]).to_string())
        .send()
        .await
        .unwrap();
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

async fn each_reply_carries_another_sync_token(endpoint: &Endpoint) {
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

async fn an_invalid_command_is_a_bad_request_and_costs_nothing(endpoint: &Endpoint) {
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
    if let Some(meter) = endpoint.meter() {
        assert_eq!(meter.total, 0);
    }
}

async fn a_request_has_a_largest_size(endpoint: &Endpoint) {
    let limits = Limits {
        request_bytes: 100_000,
        ..Limits::default()
    };
    let options = Options {
        limits,
        ..Options::default()
    };
    let endpoint = Endpoint::open(&endpoint.target, options).await;
    let error = endpoint
        .error(json!(["SET", "k", "x".repeat(100_000)]))
        .await;
    assert_eq!(error, "ERR max request size exceeded");
    endpoint.close().await;
}

async fn a_key_has_a_largest_size(endpoint: &Endpoint) {
    let key = "x".repeat(32 * 1024 + 1 - endpoint.key("").len());
    let expected = "ERR max key size exceeded. Limit: 32768 bytes, Actual: 32769 bytes";
    assert_eq!(endpoint.error(json!(["GET", key])).await, expected);
}

async fn each_token_has_a_database_of_its_own(endpoint: &Endpoint) {
    let options = Options {
        tokens: vec!["one".to_owned(), "two".to_owned()],
        ..Options::default()
    };
    let endpoint = Endpoint::open(&endpoint.target, options).await;
    let second = async |path: &str| -> Value {
        let url = format!("{}/{path}", endpoint.url());
        let request = endpoint.client.get(url).bearer_auth("two");
        request.send().await.unwrap().json().await.unwrap()
    };
    second("flushdb").await;
    endpoint.run(json!(["SET", "k", "first"])).await;
    assert_eq!(second("get/k").await, json!({"result": null}));
    second("set/k/second").await;
    endpoint.run(json!(["FLUSHALL"])).await;
    assert_eq!(second("get/k").await, json!({"result": "second"}));
    second("flushdb").await;
    endpoint.close().await;
}

async fn a_scan_returns_every_key_once(endpoint: &Endpoint) {
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
