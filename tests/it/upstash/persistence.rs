//! The file contains the same data as the memory.

use std::path::Path;
use std::time::Duration;

use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use upstash_local::{Clock, Durability, Options, Server, StartError, Store};

use super::endpoint::{Endpoint, START_MS};

fn options(path: &Path, clock: &Clock) -> Options {
    Options {
        tokens: vec!["t".to_owned()],
        store: Store::File {
            path: path.to_owned(),
            durability: Durability::Normal,
        },
        clock: clock.clone(),
        ..Options::default()
    }
}

/// Every key with its type, expiry and value.
async fn dump(endpoint: &Endpoint) -> Vec<(String, Value)> {
    let mut keys: Vec<String> =
        serde_json::from_value(endpoint.run(json!(["KEYS", "*"])).await).unwrap();
    keys.sort();
    let mut all = Vec::new();
    for key in keys {
        let kind = endpoint.run(json!(["TYPE", key])).await;
        let content = match kind.as_str().unwrap() {
            "string" => json!(["GET", key]),
            "list" => json!(["LRANGE", key, 0, -1]),
            "hash" => json!(["HGETALL", key]),
            "set" => json!(["SMEMBERS", key]),
            "zset" => json!(["ZRANGE", key, 0, -1, "WITHSCORES"]),
            _ => json!(["XINFO", "STREAM", key, "FULL", "COUNT", 0]),
        };
        let content = endpoint.run(content).await;
        let expiry = endpoint.run(json!(["PEXPIRETIME", key])).await;
        all.push((key, json!([kind, expiry, content])));
    }
    all
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START_MS);
    let path = folder.path().join("data.db");
    let endpoint = Endpoint::with(options(&path, &clock)).await;
    for command in [
        json!(["SET", "string", "v", "EX", 100]),
        json!(["RPUSH", "list", "a", "b"]),
        json!(["HSET", "hash", "b", 1, "a", 2]),
        json!(["SADD", "set", "x", "y", "z", "1"]),
        json!(["SPOP", "set"]),
        json!(["ZADD", "zset", 1.5, "a", "-inf", "b"]),
        json!(["XADD", "stream", "*", "f", "v"]),
        json!(["XGROUP", "CREATE", "stream", "g", 0]),
        json!(["XREADGROUP", "GROUP", "g", "c", "STREAMS", "stream", ">"]),
        json!([
            "EVAL",
            "redis.call('set', 'scripted', 1) return redis.call('incr', 'scripted')",
            0
        ]),
    ] {
        endpoint.run(command).await;
    }
    let before = dump(&endpoint).await;
    assert_eq!(before.len(), 7);
    endpoint.close().await;
    let endpoint = Endpoint::with(options(&path, &clock)).await;
    assert_eq!(dump(&endpoint).await, before);
    assert!(
        endpoint
            .error(json!(["EVALSHA", "0".repeat(40), 0]))
            .await
            .starts_with("NOSCRIPT")
    );
    clock.advance(Duration::from_secs(100));
    assert_eq!(endpoint.run(json!(["EXISTS", "string"])).await, json!(0));
}

#[tokio::test]
async fn a_file_is_used_by_one_server_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.db");
    let clock = Clock::manual(START_MS);
    let first = Server::start(options(&path, &clock)).await.unwrap();
    let refused = Server::start(options(&path, &clock)).await;
    assert!(matches!(refused, Err(StartError::Store(_))));
    first.stop().await;
    Server::start(options(&path, &clock))
        .await
        .unwrap()
        .stop()
        .await;
}

#[tokio::test]
async fn a_made_token_and_each_tokens_database_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.db");
    let clock = Clock::manual(START_MS);
    let with_tokens = |tokens: &[&str], seed| Options {
        tokens: tokens.iter().map(|token| (*token).to_owned()).collect(),
        seed,
        ..options(&path, &clock)
    };
    let endpoint = Endpoint::with(with_tokens(&[], 1)).await;
    let made = endpoint.server().token().to_owned();
    endpoint.run(json!(["SET", "k", "made"])).await;
    endpoint.close().await;
    let endpoint = Endpoint::with(with_tokens(&["other"], 2)).await;
    assert_eq!(endpoint.run(json!(["GET", "k"])).await, json!(null));
    endpoint.close().await;
    let endpoint = Endpoint::with(with_tokens(&[], 3)).await;
    assert_eq!(endpoint.server().token(), made);
    assert_eq!(endpoint.run(json!(["GET", "k"])).await, json!("made"));
}

const SHAPES: &[&[&str]] = &[
    &["SET", "K", "N"],
    &["SET", "K", "N", "PX", "N"],
    &["INCR", "K"],
    &["APPEND", "K", "x"],
    &["DEL", "K"],
    &["EXPIRE", "K", "N"],
    &["PERSIST", "K"],
    &["HSET", "K", "N", "v"],
    &["HDEL", "K", "N"],
    &["SADD", "K", "N", "a"],
    &["SPOP", "K"],
    &["ZADD", "K", "N", "m"],
    &["ZADD", "K", "N", "n"],
    &["ZPOPMIN", "K"],
    &["RPUSH", "K", "N"],
    &["LPOP", "K"],
    &["XADD", "K", "*", "f", "N"],
    &["XTRIM", "K", "MAXLEN", "N"],
    &["XGROUP", "CREATE", "K", "g", "0"],
    &["XREADGROUP", "GROUP", "g", "c", "STREAMS", "K", ">"],
    &["RENAME", "K", "K"],
    &["COPY", "K", "K"],
    &["FLUSHALL"],
    &[
        "EVAL",
        "redis.call('incr', KEYS[1]) redis.call('lpush', KEYS[2], 'x')",
        "2",
        "K",
        "K",
    ],
];

#[test]
fn a_replay_of_the_file_gives_the_same_keyspace() {
    let config = Config {
        cases: 12,
        failure_persistence: None,
        ..Config::default()
    };
    let step = (
        0..SHAPES.len(),
        proptest::collection::vec(0u8..6, 4),
        0u64..40,
    );
    let steps = proptest::collection::vec(step, 1..120);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let run = |steps: Vec<(usize, Vec<u8>, u64)>| {
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let clock = Clock::manual(START_MS);
            let path = folder.path().join("data.db");
            let endpoint = Endpoint::with(options(&path, &clock)).await;
            for (shape, numbers, pause_ms) in steps {
                let mut numbers = numbers.into_iter().cycle();
                let words = SHAPES[shape].iter().map(|word| match *word {
                    "K" => format!("k{}", numbers.next().unwrap_or(0) % 4),
                    "N" => (numbers.next().unwrap_or(0) * 25 + 1).to_string(),
                    word => word.to_owned(),
                });
                endpoint.raw(json!(words.collect::<Vec<_>>())).await;
                clock.advance(Duration::from_millis(pause_ms));
            }
            let before = dump(&endpoint).await;
            // The copy replays the log. A clean stop would compact it first.
            for suffix in ["", "-wal"] {
                let from = folder.path().join(format!("data.db{suffix}"));
                if from.exists() {
                    std::fs::copy(from, folder.path().join(format!("copy.db{suffix}"))).unwrap();
                }
            }
            let copy = Endpoint::with(options(&folder.path().join("copy.db"), &clock)).await;
            assert_eq!(dump(&copy).await, before, "replayed");
            endpoint.close().await;
            let compacted = Endpoint::with(options(&path, &clock)).await;
            assert_eq!(dump(&compacted).await, before, "compacted");
        });
        Ok(())
    };
    TestRunner::new(config).run(&steps, run).unwrap();
}

#[tokio::test]
async fn a_log_that_was_compacted_while_it_was_written_reads_back_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START_MS);
    let path = folder.path().join("data.db");
    let endpoint = Endpoint::with(options(&path, &clock)).await;
    // Compaction starts after 50,000 rows; the rest is in the log again.
    for batch in 0..55 {
        let commands: Vec<Value> = (0..1000)
            .map(|n| match n % 3 {
                0 => json!(["INCR", format!("counter:{}", n % 50)]),
                1 => json!(["HSET", format!("hash:{}", n % 40), format!("f{batch}"), n]),
                _ => json!(["ZADD", "zset", n, format!("m{}", (n * 7 + batch) % 500)]),
            })
            .collect();
        let (status, _) = endpoint.batch("/pipeline", json!(commands)).await;
        assert!(status.is_success());
    }
    let before = dump(&endpoint).await;
    // A copy as a crash leaves it, without closing anything.
    let copy = folder.path().join("copy.db");
    for suffix in ["", "-wal"] {
        let file = |name: &Path| format!("{}{suffix}", name.display());
        if Path::new(&file(&path)).exists() {
            std::fs::copy(file(&path), file(&copy)).unwrap();
        }
    }
    let reopened = Endpoint::with(options(&copy, &clock)).await;
    assert_eq!(dump(&reopened).await, before);
}
