//! Lua, as scripts from outside see it.

use std::time::Duration;

use serde_json::json;
use upstash_local::{Limits, Options};

use super::endpoint::{Endpoint, eval};

#[tokio::test]
async fn an_undeclared_key_is_refused_under_key_locking() {
    let endpoint = Endpoint::start().await;
    let script = "#!lua flags=allow-key-locking\nreturn redis.call('set', ARGV[1], 1)";
    let body = endpoint.eval(script, &["a"], &["b"]).await;
    let expected = "ERR Dynamic keys are not allowed in Lua scripts when 'allow-key-locking' flag is set. Key was: b";
    assert!(
        body["error"].as_str().unwrap().starts_with(expected),
        "{body}"
    );
    assert_eq!(
        endpoint.eval(script, &["a"], &["a"]).await,
        json!({"result": "OK"})
    );
    let without = "return redis.call('set', ARGV[1], 1)";
    assert_eq!(
        endpoint.eval(without, &[], &["b"]).await,
        json!({"result": "OK"})
    );
}

#[tokio::test]
async fn a_script_is_found_by_the_digest_of_its_source_as_sent() {
    let endpoint = Endpoint::start().await;
    let script = "#!lua flags=no-writes\nreturn ARGV[1]";
    let digest = endpoint.run(json!(["SCRIPT", "LOAD", script])).await;
    assert_eq!(
        endpoint.run(json!(["EVALSHA", digest, 0, "x"])).await,
        json!("x")
    );
    assert_eq!(
        endpoint
            .run(json!(["SCRIPT", "EXISTS", digest, "no"]))
            .await,
        json!([1, 0])
    );
    endpoint.run(json!(["SCRIPT", "FLUSH"])).await;
    assert!(
        endpoint
            .error(json!(["EVALSHA", digest, 0]))
            .await
            .starts_with("NOSCRIPT")
    );
}

#[tokio::test]
async fn a_read_only_script_cannot_write() {
    let endpoint = Endpoint::start().await;
    let script = "return redis.call('set', 'a', 1)";
    let error = endpoint.error(json!(["EVAL_RO", script, 0])).await;
    assert!(
        error.starts_with("ERR Write commands are not allowed"),
        "{error}"
    );
    assert_eq!(endpoint.run(json!(["EXISTS", "a"])).await, json!(0));
}

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
async fn what_a_script_wrote_before_it_failed_stays() {
    let endpoint = Endpoint::start().await;
    let body = endpoint
        .eval("redis.call('set', 'a', 1) error('half-way')", &[], &[])
        .await;
    assert!(body["error"].as_str().unwrap().contains("half-way"));
    assert_eq!(endpoint.run(json!(["GET", "a"])).await, json!("1"));
}

#[tokio::test]
async fn nothing_a_script_does_reaches_the_next_one() {
    let endpoint = Endpoint::start().await;
    for script in [
        "x = 1",
        "string.rep = nil",
        "redis.call = nil",
        "rawset(_G, 'x', 1)",
        "setmetatable(_G, {})",
        "getmetatable('').__index = {}",
        "_G.string.x = 1",
    ] {
        let body = endpoint.eval(script, &[], &[]).await;
        let error = body["error"]
            .as_str()
            .unwrap_or_else(|| panic!("{script}: {body}"));
        assert!(error.contains("readonly table"), "{script}: {error}");
    }
    assert_eq!(
        endpoint.eval("return ('x'):rep(2)", &[], &[]).await,
        json!({"result": "xx"})
    );
}

#[tokio::test]
async fn time_stands_still_inside_a_script() {
    let endpoint = Endpoint::start().await;
    let script = "redis.call('set', KEYS[1], 1, 'px', 1) return {redis.call('time'), redis.call('pttl', KEYS[1])}";
    let body = endpoint.raw(eval(script, &["k"], &[])).await;
    assert_eq!(body["result"], json!([["1800000000", "0"], 1]));
}
