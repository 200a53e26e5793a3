//! The billing meter: the same work costs the same on every engine.

use serde_json::{Value, json};
use upstash_local::Options;

use super::endpoint::{Endpoint, Target, eval};

cases! {
    the_meter_bills_each_command_and_those_inside_scripts: OwnServer,
    the_same_work_costs_the_same_as_on_the_embedded_engine: OwnServer,
    what_is_refused_before_it_runs_is_not_billed: OwnServer,
}

async fn the_meter_bills_each_command_and_those_inside_scripts(endpoint: &Endpoint) {
    let script = "redis.call('set', KEYS[1], 1) return redis.call('get', KEYS[1])";
    endpoint.eval(script, &["k"], &[]).await;
    let commands = json!([["GET", "k"], ["NOSUCH"], ["GET", "k"]]);
    endpoint.batch("/pipeline", commands).await;
    endpoint.batch("/multi-exec", json!([["INCR", "k"]])).await;
    let meter = endpoint.server().meter();
    assert_eq!(meter.total, 6);
    assert_eq!(meter.commands["eval"], 1);
    assert_eq!(meter.commands["get"], 3);
    assert_eq!(meter.requests["pipeline"], 1);
    endpoint.server().reset_meter();
    assert_eq!(endpoint.server().meter().total, 0);
}

/// Claims the first members of a sorted set, as a queue does.
const CLAIM: &str = "#!lua flags=allow-key-locking
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 5)
if #ids == 0 then return ids end
local records = redis.call('HMGET', KEYS[2], unpack(ids))
for index, id in ipairs(ids) do
  local record = cjson.decode(records[index])
  record.fence = (record.fence or 0) + 1
  redis.call('HSET', KEYS[2], id, cjson.encode(record))
  redis.call('ZADD', KEYS[1], 1000, id)
end
redis.call('XADD', KEYS[3], '*', 'claimed', #ids)
return ids";

/// Runs into every kind of error.
const STUMBLE: &str = "#!lua flags=allow-key-locking
redis.pcall('INCR', KEYS[1])
redis.pcall('NOSUCH')
redis.pcall('GET')
redis.pcall('SUBSCRIBE', 'channel')
redis.pcall('XGROUP', 'CREATE', KEYS[2], 'g', '$', 'MKSTREAM')
redis.pcall('XINFO', 'GROUPS', KEYS[2])
redis.call('LPUSH', KEYS[1], 1)
return 1";

async fn work(endpoint: &Endpoint) {
    let digest = sha1_smol::Sha1::from(CLAIM).digest().to_string();
    let claim = json!(["EVALSHA", digest, 3, "index", "records", "events", 100]);
    // The script is not cached yet, so this is billed as one command.
    endpoint.error(claim.clone()).await;
    let enqueue: Vec<Value> = (0..12)
        .flat_map(|n| {
            [
                json!(["HSET", "records", format!("job{n}"), "{\"kind\":\"work\"}"]),
                json!(["ZADD", "index", n, format!("job{n}")]),
            ]
        })
        .collect();
    endpoint.batch("/pipeline", json!(enqueue)).await;
    endpoint.batch("/multi-exec", json!(enqueue)).await;
    endpoint
        .raw(eval(CLAIM, &["index", "records", "events"], &["100"]))
        .await;
    endpoint.run(claim.clone()).await;
    let mixed = json!([
        ["SET", "s", 1, "IFNE", 2],
        claim,
        ["SCRIPT", "EXISTS", digest],
        claim
    ]);
    endpoint.batch("/multi-exec", mixed.clone()).await;
    endpoint.batch("/pipeline", mixed).await;
    let discarded = json!([["SET", "a", 1], claim, ["NOSUCH"]]);
    endpoint.batch("/multi-exec", discarded).await;
    endpoint.run(json!(["SET", "text", "no number"])).await;
    endpoint.raw(eval(STUMBLE, &["text", "stream"], &[])).await;
    let stumble = eval(STUMBLE, &["text", "stream"], &[]);
    endpoint
        .batch("/multi-exec", json!([stumble, ["INCR", "text"]]))
        .await;
    for command in [
        json!(["EVAL", "syntax error", 0]),
        json!(["EVAL", "return 1", "x"]),
        json!(["EVAL", "#!lua flags=bogus\nreturn 1", 0]),
        json!(["EVAL_RO", "return redis.call('set', KEYS[1], 1)", 1, "a"]),
        json!(["EVAL", "return redis.call('info', 'server')", 0]),
        json!(["SCRIPT", "KILL"]),
        json!(["COPY", "text", "b", "DB", 1]),
        json!(["XREAD", "BLOCK", 0, "STREAMS", "s", "$"]),
        json!(["COMMAND"]),
        json!(["SCRIPT", "FLUSH"]),
        json!(["FLUSHALL"]),
    ] {
        endpoint.raw(command).await;
    }
}

async fn the_same_work_costs_the_same_as_on_the_embedded_engine(endpoint: &Endpoint) {
    let embedded = Endpoint::open(&Target::Embedded, Options::default()).await;
    for _ in 0..2 {
        work(endpoint).await;
        work(&embedded).await;
        assert_eq!(endpoint.server().meter(), embedded.server().meter());
    }
    assert!(embedded.server().meter().total > 200);
    embedded.close().await;
}

async fn what_is_refused_before_it_runs_is_not_billed(endpoint: &Endpoint) {
    for command in [
        json!(["NOSUCH"]),
        json!(["GET"]),
        json!(["SELECT", 1]),
        json!(["CLIENT", "REPLY", "OFF"]),
        json!(["HELLO", 3]),
        json!(["SUBSCRIBE", "a"]),
        json!(["MONITOR"]),
        json!(["QUIT"]),
    ] {
        endpoint.error(command).await;
    }
    assert_eq!(endpoint.server().meter().total, 0);
    assert_eq!(endpoint.run(json!(["PING"])).await, json!("PONG"));
}
