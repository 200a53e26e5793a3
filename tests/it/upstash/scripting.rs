//! What scripts may use, and how long they may run, in the embedded engine.

use std::time::Duration;

use serde_json::json;
use upstash_local::{Limits, Options};

use super::endpoint::Endpoint;

#[tokio::test]
async fn a_script_that_does_not_end_is_stopped() {
    let limits = Limits {
        script_time: Duration::from_millis(50),
        ..Limits::default()
    };
    let endpoint = Endpoint::with(Options {
        limits,
        ..Options::default()
    })
    .await;
    for script in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "coroutine.wrap(function() while true do end end)()",
        "while true do redis.call('ping') end",
    ] {
        let body = endpoint.eval(script, &[], &[]).await;
        assert!(
            body["error"].as_str().unwrap().contains("time limit"),
            "{script}: {body}"
        );
    }
    assert_eq!(
        endpoint.eval("return 1", &[], &[]).await,
        json!({"result": 1})
    );
}

#[tokio::test]
async fn a_script_that_takes_all_memory_is_stopped() {
    let limits = Limits {
        script_memory_bytes: 8_000_000,
        ..Limits::default()
    };
    let endpoint = Endpoint::with(Options {
        limits,
        ..Options::default()
    })
    .await;
    let script = "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end";
    assert!(endpoint.eval(script, &[], &[]).await["error"].is_string());
    assert_eq!(
        endpoint.eval("return 1", &[], &[]).await,
        json!({"result": 1})
    );
}

#[tokio::test]
async fn time_stands_still_inside_a_script() {
    let endpoint = Endpoint::start().await;
    let script = "redis.call('set', KEYS[1], 1, 'px', 1) return {redis.call('time'), redis.call('pttl', KEYS[1])}";
    let body = endpoint.eval(script, &["k"], &[]).await;
    assert_eq!(body["result"], json!([["1800000000", "0"], 1]));
}
