//! Scripts from the clients' point of view.

use serde_json::json;

use super::Endpoint;

cases! {
    an_undeclared_key_is_refused_under_key_locking: KeyLocking,
    a_script_that_locks_its_keys_runs: Nothing,
    a_script_is_found_by_the_digest_of_its_source_as_sent: Nothing,
    a_flushed_script_is_not_found: OwnDatabase,
    an_error_names_a_script_by_no_other_digest_than_that_of_its_source_as_sent: Nothing,
    a_read_only_script_cannot_write: Nothing,
    what_a_script_wrote_before_it_failed_stays: Nothing,
    nothing_a_script_does_reaches_the_next_one: Nothing,
}

async fn an_undeclared_key_is_refused_under_key_locking(endpoint: &Endpoint) {
    let script = "#!lua flags=allow-key-locking\nreturn redis.call('set', ARGV[1], 1)";
    let (a, b) = (endpoint.key("a"), endpoint.key("b"));
    let body = endpoint.eval(script, &["a"], &[&b]).await;
    let expected = "ERR Dynamic keys are not allowed in Lua scripts when 'allow-key-locking' flag is set. Key was: b";
    assert!(
        body["error"].as_str().unwrap().starts_with(expected),
        "{body}"
    );
    assert_eq!(
        endpoint.eval(script, &["a"], &[&a]).await,
        json!({"result": "OK"})
    );
    let without = "return redis.call('set', ARGV[1], 1)";
    assert_eq!(
        endpoint.eval(without, &[], &[&b]).await,
        json!({"result": "OK"})
    );
}

async fn a_script_that_locks_its_keys_runs(endpoint: &Endpoint) {
    let script = "#!lua flags=allow-key-locking\nredis.call('set', KEYS[1], ARGV[1])\nreturn redis.call('get', KEYS[1])";
    assert_eq!(
        endpoint.eval(script, &["a"], &["x"]).await,
        json!({"result": "x"})
    );
}

async fn a_script_is_found_by_the_digest_of_its_source_as_sent(endpoint: &Endpoint) {
    for flags in [
        "no-writes",
        "allow-key-locking",
        "no-writes,allow-key-locking",
    ] {
        // A script that no other client can have loaded.
        let script = format!(
            "#!lua flags={flags}\nreturn ARGV[1] -- {}",
            endpoint.key("")
        );
        let digest = endpoint.run(json!(["SCRIPT", "LOAD", script])).await;
        assert_eq!(
            digest,
            json!(sha1_smol::Sha1::from(&script).digest().to_string())
        );
        assert_eq!(
            endpoint.run(json!(["EVALSHA", digest, 0, "x"])).await,
            json!("x")
        );
        let exists = endpoint
            .run(json!(["SCRIPT", "EXISTS", digest, "no"]))
            .await;
        assert_eq!(exists, json!([1, 0]));
        let both = json!([["EVALSHA", digest, 0, "y"], ["EVALSHA", digest, 0, "z"]]);
        let (_, body) = endpoint.batch("/multi-exec", both).await;
        assert_eq!(body, json!([{"result": "y"}, {"result": "z"}]));
    }
}

async fn a_flushed_script_is_not_found(endpoint: &Endpoint) {
    for script in ["return 1", "#!lua flags=allow-key-locking\nreturn 1"] {
        let digest = endpoint.run(json!(["SCRIPT", "LOAD", script])).await;
        endpoint.run(json!(["SCRIPT", "FLUSH"])).await;
        let error = endpoint.error(json!(["EVALSHA", digest, 0])).await;
        assert!(error.starts_with("NOSCRIPT"), "{error}");
        endpoint.eval(script, &[], &[]).await;
        assert_eq!(endpoint.run(json!(["EVALSHA", digest, 0])).await, json!(1));
    }
}

async fn an_error_names_a_script_by_no_other_digest_than_that_of_its_source_as_sent(
    endpoint: &Endpoint,
) {
    let script = "#!lua flags=allow-key-locking\nerror('boom')";
    let error = endpoint.error(json!(["EVAL", script, 0])).await;
    let digest = sha1_smol::Sha1::from(script).digest().to_string();
    let words = error.split(|letter: char| !letter.is_ascii_alphanumeric());
    // Valkey names no script.
    for named in words.filter(|word| word.len() == digest.len()) {
        assert_eq!(named, digest, "{error}");
    }
    assert!(error.contains("boom"), "{error}");
}

async fn a_read_only_script_cannot_write(endpoint: &Endpoint) {
    let script = "return redis.call('set', KEYS[1], 1)";
    let error = endpoint.error(json!(["EVAL_RO", script, 1, "a"])).await;
    assert!(
        error.starts_with("ERR Write commands are not allowed"),
        "{error}"
    );
    assert_eq!(endpoint.run(json!(["EXISTS", "a"])).await, json!(0));
}

async fn what_a_script_wrote_before_it_failed_stays(endpoint: &Endpoint) {
    let script = "redis.call('set', KEYS[1], 1) error('half-way')";
    let body = endpoint.eval(script, &["a"], &[]).await;
    assert!(body["error"].as_str().unwrap().contains("half-way"));
    assert_eq!(endpoint.run(json!(["GET", "a"])).await, json!("1"));
}

async fn nothing_a_script_does_reaches_the_next_one(endpoint: &Endpoint) {
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
