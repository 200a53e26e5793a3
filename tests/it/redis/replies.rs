//! How the client handles failures, and which commands share a request.

use integration::start_endpoint;
use shared::redis::commands::Scripting as _;
use shared::redis::commands::streams::{Streams as _, Trim};
use shared::redis::commands::strings::{SetOptions, Strings as _, get, get_bytes, incr, set};
use shared::redis::{AutoPipeline, Command, Error, Pipeline, Script};
use upstash_local::{Fault, FaultAction};

use super::{client, client_with};

static ADD: Script = Script::new(
    "add",
    &[("add", "return redis.call('SADD', KEYS[1], ARGV[1])")],
);

fn fault(action: FaultAction) -> Fault {
    Fault {
        action,
        matching: None,
        skip: 0,
        times: 1,
    }
}

#[tokio::test]
async fn a_read_is_asked_again_and_a_counter_is_not_when_the_reply_is_lost() {
    let server = start_endpoint().await;
    let redis = client(&server);
    for action in [
        FaultAction::DropBefore,
        FaultAction::DropAfterCommit,
        FaultAction::Status(500),
        FaultAction::TruncateBody,
        FaultAction::NotJson(502),
    ] {
        server.faults().add(fault(action));
        assert_eq!(redis.get("n").await.unwrap(), None, "{action:?}");
    }
    server.faults().add(fault(FaultAction::DropAfterCommit));
    let lost = redis.incr("n").await.unwrap_err();
    assert!(lost.is_outcome_unknown(), "{lost}");
    assert_eq!(
        redis.get("n").await.unwrap().as_deref(),
        Some("1"),
        "counted twice"
    );
}

#[tokio::test]
async fn a_service_limit_is_distinguished_from_a_failed_command() {
    let server = start_endpoint().await;
    let redis = client(&server);
    server.faults().add(Fault {
        times: 9,
        ..fault(FaultAction::QuotaExceeded)
    });
    assert!(matches!(redis.get("n").await, Err(Error::LimitReached)));
    server.faults().clear();
    redis.set("n", "text", SetOptions::new()).await.unwrap();
    let failed = redis.incr("n").await.unwrap_err();
    assert!(
        !failed.is_unavailable() && !failed.is_outcome_unknown(),
        "{failed}"
    );
}

#[tokio::test]
async fn a_wrong_token_and_a_dead_server_are_distinguished() {
    let server = start_endpoint().await;
    let stranger = client_with(&server, "not-the-token");
    assert!(matches!(stranger.get("k").await, Err(Error::Unauthorized)));
    let redis = client(&server);
    let server_token = server.token().to_owned();
    server.stop().await;
    let away = redis.get("k").await.unwrap_err();
    assert!(matches!(away, Error::Unreachable(_)), "{away:?}");
    let shown = format!("{away} {away:?}");
    assert!(!shown.contains(server_token.as_str()), "{shown}");
}

#[tokio::test]
async fn an_error_never_shows_an_argument() {
    let server = start_endpoint().await;
    let redis = client(&server);
    let secret = "s3cr3t";
    for error in [
        Command::<String>::once("NOSUCH")
            .arg(secret)
            .send(&*redis)
            .await
            .unwrap_err(),
        Command::<String>::once("SET")
            .arg(secret)
            .send(&*redis)
            .await
            .unwrap_err(),
        redis
            .eval(&format!("return redis.call('{secret}')"), &[], &[])
            .await
            .unwrap_err(),
    ] {
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[tokio::test]
async fn bytes_come_back_as_they_were_and_an_ok_is_a_value_like_others() {
    let server = start_endpoint().await;
    let redis = client(&server);
    redis.set("ok", "OK", SetOptions::new()).await.unwrap();
    assert_eq!(redis.get("ok").await.unwrap().as_deref(), Some("OK"));
    let stored = Command::<()>::once("EVAL")
        .arg("redis.call('SET', KEYS[1], '\\255\\0\\254')")
        .arg(1)
        .arg("b");
    stored.send(&*redis).await.unwrap();
    assert_eq!(redis.get_bytes("b").await.unwrap(), Some(vec![255, 0, 254]));
    assert!(matches!(
        redis.get("b").await,
        Err(Error::UnexpectedReply { .. })
    ));
    redis
        .set("n", "9007199254740993", SetOptions::new())
        .await
        .unwrap();
    assert_eq!(redis.incrby("n", 0).await.unwrap(), 9_007_199_254_740_993);
}

#[tokio::test]
async fn a_pipeline_answers_each_command_for_itself_in_one_request() {
    let server = start_endpoint().await;
    let redis = client(&server);
    let mut pipeline = Pipeline::new();
    let stored = pipeline.add(set("t", "text", SetOptions::new()));
    let failed = pipeline.add(incr("t"));
    let value = pipeline.add(get_bytes("t"));
    let mut replies = pipeline.send(&*redis).await.unwrap();
    assert!(replies.take(stored).unwrap());
    assert!(matches!(replies.take(failed), Err(Error::Server(_))));
    assert_eq!(
        replies.take(value).unwrap().as_deref(),
        Some(b"text".as_slice())
    );
    assert_eq!(server.meter().requests.values().sum::<u64>(), 1);
}

#[tokio::test]
async fn a_transaction_with_a_mistake_is_discarded_whole() {
    let server = start_endpoint().await;
    let redis = client(&server);
    let mut good = Pipeline::new();
    let one = good.add(incr("n"));
    let two = good.add(incr("n"));
    let mut replies = good.send_atomic(&*redis).await.unwrap();
    assert_eq!(
        (replies.take(one).unwrap(), replies.take(two).unwrap()),
        (1, 2)
    );
    let mut bad = Pipeline::new();
    bad.add(incr("n"));
    bad.add(Command::<()>::once("NOSUCH"));
    assert!(matches!(
        bad.send_atomic(&*redis).await,
        Err(Error::Server(_))
    ));
    assert_eq!(redis.get("n").await.unwrap().as_deref(), Some("2"));
}

#[tokio::test]
async fn a_script_is_sent_whole_only_when_it_is_unknown() {
    let server = start_endpoint().await;
    let redis = client(&server);
    for expected in [1, 0, 0] {
        let added: i64 = ADD.run(&*redis, &["s"], &["x".to_owned()]).await.unwrap();
        assert_eq!(added, expected);
    }
    let meter = server.meter();
    assert_eq!(
        (meter.commands.get("eval"), meter.commands.get("evalsha")),
        (Some(&1), Some(&3)),
        "{meter:?}"
    );
    Command::<()>::once("SCRIPT")
        .arg("FLUSH")
        .send(&*redis)
        .await
        .unwrap();
    let mut pipeline = Pipeline::new();
    let added = pipeline.add_script::<i64>(&ADD, &["s"], &["y".to_owned()]);
    let value = pipeline.add(get("none"));
    let mut replies = pipeline.send(&*redis).await.unwrap();
    assert_eq!(
        (replies.take(added).unwrap(), replies.take(value).unwrap()),
        (1, None)
    );
}

#[tokio::test]
async fn commands_issued_together_travel_together_in_order() {
    let server = start_endpoint().await;
    let redis = AutoPipeline::new(client(&server));
    let (first, second, read, failed) = tokio::join!(
        redis.set("k", "1", SetOptions::new()),
        redis.incr("k"),
        redis.get("k"),
        redis.xadd("k", "1-0", Trim::No, &[("a", "b")]),
    );
    assert!(first.unwrap());
    assert_eq!((second.unwrap(), read.unwrap().as_deref()), (2, Some("2")));
    assert!(failed.is_err(), "one failure is its own");
    assert_eq!(server.meter().requests.values().sum::<u64>(), 1);
    let a = redis.get("k").await.unwrap();
    assert_eq!(
        (a.as_deref(), server.meter().requests.values().sum::<u64>()),
        (Some("2"), 2)
    );
}

#[tokio::test]
async fn the_newest_state_is_asked_for_and_can_be_handed_on() {
    let server = start_endpoint().await;
    let redis = client(&server);
    assert_eq!(redis.sync_token(), None);
    redis.incr("n").await.unwrap();
    let token = redis.sync_token().unwrap();
    redis.incr("n").await.unwrap();
    assert_ne!(redis.sync_token().unwrap(), token);
    let other = client(&server).scoped(shared::redis::Scope {
        deadline: None,
        sync_token: Some(token.clone()),
    });
    assert_eq!(other.sync_token(), Some(token.clone()));
    other.get("n").await.unwrap();
    assert_ne!(other.sync_token(), Some(token));
}

#[tokio::test]
async fn a_connection_the_server_closed_is_replaced_even_for_a_write() {
    let first = start_endpoint().await;
    let redis = client(&first);
    redis.incr("n").await.unwrap();
    let listen = first.url().trim_start_matches("http://").parse().unwrap();
    let tokens = vec![first.token().to_owned()];
    first.stop().await;
    let options = upstash_local::Options {
        listen,
        tokens,
        ..upstash_local::Options::default()
    };
    let second = upstash_local::Server::start(options).await.unwrap();
    assert_eq!(
        redis.incr("n").await.unwrap(),
        1,
        "a new store, on a new connection"
    );
    second.stop().await;
}

#[tokio::test]
async fn a_call_ends_by_its_deadline() {
    let server = start_endpoint().await;
    let clock = shared::clock::Clock::system();
    let config = shared::config::RedisConfig {
        provider: shared::config::Provider::Local,
        url: server.url(),
        token: server.token().into(),
        key_prefix: String::new(),
        ca_file: None,
    };
    let deadline = Some(clock.deadline(std::time::Duration::from_millis(80)));
    let redis = shared::redis::connect(&config, &clock).unwrap();
    let redis = redis.scoped(shared::redis::Scope {
        deadline,
        sync_token: None,
    });
    server
        .faults()
        .add(fault(FaultAction::Delay(std::time::Duration::from_secs(
            60,
        ))));
    let late = redis.get("k").await.unwrap_err();
    assert!(matches!(late, Error::Timeout(_)), "{late}");
}

#[tokio::test]
async fn an_invalid_database_setting_is_reported_before_anything_is_sent() {
    let connect = |provider, url: &str| {
        let config = shared::config::RedisConfig {
            provider,
            url: url.to_owned(),
            token: "secret".into(),
            key_prefix: String::new(),
            ca_file: None,
        };
        let error = shared::redis::connect(&config, &shared::clock::Clock::system()).err();
        error.map(|error| error.to_string()).unwrap_or_default()
    };
    use shared::config::Provider::{Local, Upstash};
    assert!(connect(Upstash, "http://db.example").contains("REDIS_PROVIDER=local"));
    assert!(
        connect(Local, "redis://db.example:6379")
            .contains("expected an address beginning with https://")
    );
    assert_eq!(connect(Upstash, "https://db.example"), "");
}

#[tokio::test]
async fn an_invalid_root_certificate_file_is_named_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let connect = |text: Option<&str>| {
        let file = folder.path().join("roots.pem");
        if let Some(text) = text {
            std::fs::write(&file, text).unwrap();
        }
        let config = shared::config::RedisConfig {
            provider: shared::config::Provider::Upstash,
            url: "https://db.example".to_owned(),
            token: "secret".into(),
            key_prefix: String::new(),
            ca_file: Some(file),
        };
        let error = shared::redis::connect(&config, &shared::clock::Clock::system()).err();
        error.map(|error| error.to_string()).unwrap_or_default()
    };
    let frame =
        |body: &str| format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
    let (broken, other) = (frame("?"), frame("AAAA"));
    for (text, wrong) in [
        (None, "No such file"),
        (Some("no frame at all"), "holds no certificate"),
        (Some(broken.as_str()), "expected certificates in PEM"),
        (
            Some(other.as_str()),
            "holds an entry that is no certificate",
        ),
    ] {
        let told = connect(text);
        assert!(
            told.starts_with("REDIS_CA_FILE: ") && told.contains("roots.pem"),
            "{told}"
        );
        assert!(told.contains(wrong), "{told}");
    }
}
