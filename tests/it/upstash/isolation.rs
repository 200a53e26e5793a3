//! Scripts of one token leave nothing behind for those of another.

use serde_json::{Value, json};
use upstash_local::Options;

use super::endpoint::Endpoint;

/// Runs a script under two tokens.
struct Two(Endpoint);

impl Two {
    async fn start() -> Two {
        let tokens = vec!["one".to_owned(), "two".to_owned()];
        let options = Options {
            tokens,
            ..Options::default()
        };
        Two(Endpoint::with(options).await)
    }

    async fn run(&self, token: &str, command: Value) -> Value {
        let request = self.0.client.post(self.0.url()).bearer_auth(token);
        let sent = request.body(command.to_string()).send().await.unwrap();
        sent.json().await.unwrap()
    }

    async fn eval(&self, token: &str, script: &str) -> Value {
        self.run(token, json!(["EVAL", script, 0])).await
    }
}

#[tokio::test]
async fn nothing_a_script_changes_is_seen_under_another_token() {
    let two = Two::start().await;
    for (change, look) in [
        ("table.insert(string, 'x')", "return string[1]"),
        ("table.insert(redis, 'x')", "return redis[1]"),
        ("table.insert(_G, 'x')", "return rawget(_G, 1)"),
        (
            "table.insert(getmetatable(''), 'x')",
            "return getmetatable('')[1]",
        ),
        (
            "cjson.encode_number_precision(3)",
            "return cjson.encode(1.23456)",
        ),
        (
            "cjson.decode_max_depth(1)",
            "return #cjson.decode('[[[1]]]')",
        ),
        (
            "cjson.encode_sparse_array(true)",
            "return pcall(cjson.encode, {[1000] = 1})",
        ),
        ("math.randomseed(7)", "return tostring(math.random())"),
        ("KEYS[1] = 'x' ARGV[1] = 'x'", "return {KEYS[1], ARGV[1]}"),
        ("string.sub = nil", "return ('abc'):sub(1, 1)"),
        ("collectgarbage('stop')", "return 1"),
    ] {
        let before = two.eval("two", look).await;
        // Whether it is refused or not, it affects only this token.
        two.eval("one", &format!("pcall(function() {change} end) return 1"))
            .await;
        two.eval("one", change).await;
        assert_eq!(two.eval("two", look).await, before, "{change}");
    }
}

#[tokio::test]
async fn tables_of_the_libraries_are_read_only_whatever_writes() {
    let two = Two::start().await;
    for change in [
        "table.insert(string, 'x')",
        "table.insert(string, 1, 'x')",
        "table.remove(string)",
        "table.sort(string)",
        "rawset(string, 1, 'x')",
        "string.x = 1",
        "table.insert(getmetatable(''), 'x')",
    ] {
        let refused = two.eval("one", change).await;
        let said = refused["error"].as_str().unwrap_or_default();
        assert!(said.contains("readonly"), "{change}: {refused}");
    }
    let script = "local t = {3, 1} table.insert(t, 2) table.sort(t) return table.remove(t, 1)";
    assert_eq!(two.eval("one", script).await, json!({ "result": 1 }));
}

#[tokio::test]
async fn a_script_is_known_to_the_token_it_came_with() {
    let two = Two::start().await;
    let loaded = two.run("one", json!(["SCRIPT", "LOAD", "return 7"])).await;
    let digest = loaded["result"].as_str().unwrap();
    let run = json!(["EVALSHA", digest, 0]);
    assert_eq!(two.run("one", run.clone()).await, json!({ "result": 7 }));
    let unknown = two.run("two", run.clone()).await;
    assert!(
        unknown["error"].as_str().unwrap().starts_with("NOSCRIPT"),
        "{unknown}"
    );
    let exists = two.run("two", json!(["SCRIPT", "EXISTS", digest])).await;
    assert_eq!(exists, json!({ "result": [0] }));
    two.run("two", json!(["SCRIPT", "FLUSH"])).await;
    assert_eq!(two.run("one", run).await, json!({ "result": 7 }));
}

#[tokio::test]
async fn the_same_script_has_the_same_random_numbers() {
    let two = Two::start().await;
    let script = "local t = {} for i = 1, 3 do t[i] = math.random(1000) end return t";
    let first = two.eval("one", script).await;
    assert!(
        first["result"]
            .as_array()
            .unwrap()
            .iter()
            .all(|n| (1..=1000).contains(&n.as_i64().unwrap()))
    );
    assert_eq!(two.eval("one", script).await, first);
    assert_eq!(two.eval("two", script).await, first);
    let empty = two.eval("one", "return math.random(5, 1)").await;
    assert!(
        empty["error"]
            .as_str()
            .unwrap()
            .contains("interval is empty")
    );
}

#[tokio::test]
async fn a_value_nested_a_thousand_deep_does_not_crash_the_endpoint() {
    let endpoint = Endpoint::start().await;
    // Few JSON parsers accept such deep nesting.
    let eval = async |script: &str, argument: &str| {
        let command = json!(["EVAL", script, 0, argument]).to_string();
        let sent = endpoint.post("/").body(command).send().await.unwrap();
        assert!([200, 400].contains(&sent.status().as_u16()), "{script}");
        sent.text().await.unwrap()
    };
    let nested = |depth: usize, rest: &str| {
        format!("local t = {{}} for i = 1, {depth} do t = {{t}} end {rest}")
    };
    for depth in [200, 999, 1000, 3000, 100_000] {
        for rest in [
            "return t",
            "return {pcall(cjson.encode, t)}",
            "cjson.encode_max_depth(4000) return #cjson.encode(t)",
            "return #cmsgpack.pack(t)",
        ] {
            eval(&nested(depth, rest), "").await;
        }
        let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        for script in [
            "return {pcall(cjson.decode, ARGV[1])}",
            "cjson.decode_max_depth(4000) local ok, t = pcall(cjson.decode, ARGV[1]) return {t}",
        ] {
            eval(script, &text).await;
        }
        let packed =
            "return {pcall(cmsgpack.unpack, string.rep(string.char(0x91), tonumber(ARGV[1])))}";
        eval(packed, &depth.to_string()).await;
    }
    // The usual limit is Redis's own, and the endpoint still answers.
    let refused = eval(
        &nested(1001, "cjson.encode_max_depth(1000) return cjson.encode(t)"),
        "",
    )
    .await;
    assert!(refused.contains("excessive depth"), "{refused}");
    assert_eq!(
        endpoint.eval("return 1", &[], &[]).await,
        json!({ "result": 1 })
    );
}
