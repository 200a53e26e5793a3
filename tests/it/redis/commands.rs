//! Each typed command once, with its reply.

use std::time::Duration;

use integration::start_endpoint;
use shared::redis::Reply;
use shared::redis::commands::sorted_sets::Range;
use shared::redis::commands::streams::Trim;
use shared::redis::commands::strings::SetOptions;
use shared::redis::commands::{
    Hashes as _, Keys as _, Scripting as _, Server as _, SortedSets as _, Streams as _,
    Strings as _,
};

use super::client;

#[tokio::test]
async fn strings_are_set_on_conditions_and_expire() {
    let server = start_endpoint().await;
    let redis = client(&server);
    let options = SetOptions::new;
    assert!(redis.set("k", "1", options()).await.unwrap());
    assert_eq!(redis.get("k").await.unwrap().as_deref(), Some("1"));
    assert_eq!(redis.get("none").await.unwrap(), None);
    assert!(!redis.set("k", "2", options().if_missing()).await.unwrap());
    assert!(
        !redis
            .set("none", "2", options().if_existing())
            .await
            .unwrap()
    );
    assert!(redis.set("k", "2", options().if_equal("1")).await.unwrap());
    assert!(
        !redis
            .set("k", "3", options().if_different("2"))
            .await
            .unwrap()
    );
    assert_eq!(
        redis
            .set_and_get("k", "5", options())
            .await
            .unwrap()
            .as_deref(),
        Some("2")
    );
    assert_eq!(
        (
            redis.incr("k").await.unwrap(),
            redis.incrby("k", -3).await.unwrap()
        ),
        (6, 3)
    );
    assert_eq!(
        redis.mget(&["k", "none"]).await.unwrap(),
        [Some("3".to_owned()), None]
    );
    assert_eq!(
        (
            redis.ttl("k").await.unwrap(),
            redis.ttl("none").await.unwrap()
        ),
        (-1, -2)
    );
    assert!(
        redis
            .set("t", "v", options().expires_in(Duration::from_millis(1500)))
            .await
            .unwrap()
    );
    assert!((1000..=1500).contains(&redis.pttl("t").await.unwrap()));
    assert!(redis.expire("t", Duration::from_secs(9)).await.unwrap());
    assert!(redis.set("t", "w", options().keep_expiry()).await.unwrap());
    assert!(redis.pexpire("t", Duration::from_millis(20)).await.unwrap());
    assert!(
        redis
            .set("at", "v", options().expires_at(integration::START_MS + 20))
            .await
            .unwrap()
    );
    if server.clock().is_manual() {
        server.clock().advance(Duration::from_millis(20));
        assert_eq!(redis.exists(&["t", "at", "k", "k"]).await.unwrap(), 2);
    } else {
        eprintln!("skipped: keys expire by the clock of the real server");
    }
    assert_eq!(redis.del(&["k", "none"]).await.unwrap(), 1);
}

#[tokio::test]
async fn hashes_and_sorted_sets_answer_their_types() {
    let server = start_endpoint().await;
    let redis = client(&server);
    assert_eq!(redis.hset("h", &[("a", "1"), ("b", "2")]).await.unwrap(), 2);
    assert_eq!(redis.hget("h", "a").await.unwrap().as_deref(), Some("1"));
    assert_eq!(
        redis.hmget("h", &["b", "c"]).await.unwrap(),
        [Some("2".to_owned()), None]
    );
    assert_eq!(redis.hincrby("h", "a", 4).await.unwrap(), 5);
    assert_eq!(redis.hgetall("h").await.unwrap().len(), 2);
    assert_eq!(
        (
            redis.hdel("h", &["a", "x"]).await.unwrap(),
            redis.hlen("h").await.unwrap()
        ),
        (1, 1)
    );
    let large = 70_368_744_177_665.0;
    assert_eq!(
        redis
            .zadd("z", &[(large, "a"), (2.0, "b"), (0.5, "c")])
            .await
            .unwrap(),
        3
    );
    assert_eq!(redis.zscore("z", "a").await.unwrap(), Some(large));
    assert_eq!(
        redis.zrange("z", Range::Rank(0, -1)).await.unwrap(),
        ["c", "b", "a"]
    );
    let range = Range::Score {
        min: 1.0,
        max: f64::INFINITY,
        offset: 1,
        limit: 5,
    };
    assert_eq!(
        redis.zrange_with_scores("z", range).await.unwrap(),
        ["a", "70368744177665"]
    );
    assert_eq!(redis.zcount("z", 0.0, 2.0).await.unwrap(), 2);
    assert_eq!(
        (
            redis.zrem("z", &["a"]).await.unwrap(),
            redis.zcard("z").await.unwrap()
        ),
        (1, 2)
    );
    redis
        .zadd("l", &[(0.0, "a:1"), (0.0, "a:2"), (0.0, "b:1")])
        .await
        .unwrap();
    let range = Range::Lex {
        min: "[a:".into(),
        max: "(a;".into(),
        limit: 10,
    };
    assert_eq!(redis.zrange("l", range).await.unwrap(), ["a:1", "a:2"]);
}

#[tokio::test]
async fn streams_are_added_to_read_and_cut() {
    let server = start_endpoint().await;
    let redis = client(&server);
    for n in 1..=3 {
        let id = format!("{n}-0");
        assert_eq!(
            redis
                .xadd("s", &id, Trim::No, &[("f", "v"), ("g", "w")])
                .await
                .unwrap(),
            id
        );
    }
    redis
        .xadd("s", "*", Trim::Exactly(3), &[("f", "v")])
        .await
        .unwrap();
    let entries = redis.xrange("s", "(2-0", "+", 1).await.unwrap();
    assert_eq!(
        (entries[0].id.as_str(), entries[0].field("g")),
        ("3-0", Some("w"))
    );
    let read = redis
        .xread(&[("s", "3-0"), ("none", "0")], 10)
        .await
        .unwrap();
    assert_eq!(
        (read.len(), read[0].0.as_str(), read[0].1.len()),
        (1, "s", 1)
    );
    assert!(redis.xread(&[("none", "0")], 10).await.unwrap().is_empty());
    assert_eq!(redis.xlen("s").await.unwrap(), 3);
    assert_eq!(redis.xtrim("s", Trim::Exactly(1)).await.unwrap(), 2);
    let refused = redis
        .xadd("s", "1-0", Trim::No, &[("f", "v")])
        .await
        .unwrap_err();
    assert!(
        refused.to_string().contains("equal or smaller"),
        "{refused}"
    );
}

#[tokio::test]
async fn scripts_and_the_server_answer() {
    let server = start_endpoint().await;
    let redis = client(&server);
    assert_eq!(redis.ping().await.unwrap(), "PONG");
    let reply = redis
        .eval("return {KEYS[1], ARGV[1], 7}", &["k"], &["a"])
        .await
        .unwrap();
    assert_eq!(
        reply,
        Reply::Array(vec![
            Reply::Bytes(b"k".to_vec()),
            Reply::Bytes(b"a".to_vec()),
            Reply::Int(7)
        ])
    );
    let unknown = redis.evalsha(&"0".repeat(40), &[], &[]).await.unwrap_err();
    assert!(unknown.is_no_script(), "{unknown}");
    redis.set("user:1", "x", Default::default()).await.unwrap();
    assert_eq!(redis.dbsize().await.unwrap(), 1);
    let seconds = redis.time().await.unwrap().0;
    // In front of a real Redis, the time is that server's.
    if server.clock().is_manual() {
        assert_eq!(seconds, integration::START_MS / 1000);
    }
    assert!(redis.info("").await.unwrap().contains("# "));
    let (cursor, keys) = redis.scan("0", "user:*", 100).await.unwrap();
    assert_eq!((cursor.as_str(), keys), ("0", vec!["user:1".to_owned()]));
    assert!(redis.sync_token().is_some());
}
