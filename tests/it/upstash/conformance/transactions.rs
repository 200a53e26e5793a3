//! Pipelines and transactions.

use reqwest::StatusCode;
use serde_json::json;

use super::Endpoint;

cases! {
    a_pipeline_answers_in_order_with_errors_in_their_places: Nothing,
    a_transaction_with_a_wrong_command_is_discarded_whole: Nothing,
    a_failing_command_does_not_roll_a_transaction_back: Nothing,
    transactions_do_not_interleave: Nothing,
    scripts_and_transactions_keep_to_their_places: Nothing,
    a_write_on_a_condition_is_one_command: Nothing,
}

async fn a_pipeline_answers_in_order_with_errors_in_their_places(endpoint: &Endpoint) {
    let (status, body) = endpoint
        .batch(
            "/pipeline",
            json!([["SET", "a", "x"], ["INCR", "a"], ["NOSUCH"], ["GET", "a"]]),
        )
        .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body[0], json!({"result": "OK"}));
    assert!(
        body[1]["error"]
            .as_str()
            .unwrap()
            .starts_with("ERR value is not an integer")
    );
    assert!(
        body[2]["error"]
            .as_str()
            .unwrap()
            .starts_with("ERR unknown command 'NOSUCH'")
    );
    assert_eq!(body[3], json!({"result": "x"}));
}

async fn a_transaction_with_a_wrong_command_is_discarded_whole(endpoint: &Endpoint) {
    for wrong in [
        json!(["NOSUCH"]),
        json!(["GET"]),
        json!(["BLPOP", "a", 0]),
        json!(["MULTI"]),
    ] {
        let (status, body) = endpoint
            .batch("/multi-exec", json!([["SET", "a", 1], wrong]))
            .await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(
            body["error"].as_str().unwrap().starts_with("EXECABORT"),
            "{body}"
        );
    }
    assert_eq!(endpoint.run(json!(["EXISTS", "a"])).await, json!(0));
    if let Some(meter) = endpoint.meter() {
        assert_eq!(meter.total, 1);
    }
}

async fn a_failing_command_does_not_roll_a_transaction_back(endpoint: &Endpoint) {
    let (status, body) = endpoint
        .batch(
            "/multi-exec",
            json!([["SET", "a", "x"], ["INCR", "a"], ["GET", "a"]]),
        )
        .await;
    assert_eq!(status, StatusCode::OK);
    assert!(body[1]["error"].is_string());
    assert_eq!(body[2], json!({"result": "x"}));
}

async fn transactions_do_not_interleave(endpoint: &Endpoint) {
    let pairs = (0..20).map(|_| async {
        let (_, body) = endpoint
            .batch("/multi-exec", json!([["INCR", "n"], ["INCR", "n"]]))
            .await;
        body[1]["result"].as_i64().unwrap() - body[0]["result"].as_i64().unwrap()
    });
    for difference in side_by_side(pairs).await {
        assert_eq!(difference, 1);
    }
    assert_eq!(endpoint.run(json!(["GET", "n"])).await, json!("40"));
}

async fn scripts_and_transactions_keep_to_their_places(endpoint: &Endpoint) {
    let add = json!([
        "EVAL",
        "return redis.call('incrby', KEYS[1], ARGV[1])",
        1,
        "n",
        10
    ]);
    let commands = json!([
        ["INCR", "n"],
        add,
        ["INCR", "n"],
        ["GET"],
        add,
        ["GET", "n"]
    ]);
    let (_, body) = endpoint.batch("/pipeline", commands).await;
    let results: Vec<_> = [0, 1, 2, 4].iter().map(|at| &body[*at]["result"]).collect();
    assert_eq!(results, [&json!(1), &json!(11), &json!(12), &json!(22)]);
    assert!(body[3]["error"].is_string());
    assert_eq!(body[5], json!({"result": "22"}));
    let commands = json!([["INCR", "n"], add, ["LPUSH", "n", 1], add]);
    let (_, body) = endpoint.batch("/multi-exec", commands).await;
    let results: Vec<_> = [0, 1, 3].iter().map(|at| &body[*at]["result"]).collect();
    assert_eq!(results, [&json!(23), &json!(33), &json!(43)]);
    let error = body[2]["error"].as_str().unwrap();
    assert!(error.starts_with("WRONGTYPE"), "{error}");
}

async fn a_write_on_a_condition_is_one_command(endpoint: &Endpoint) {
    let cases = [
        (json!(["SET", "k", "a", "IFEQ", "x"]), json!(null)),
        (json!(["SET", "k", "a", "IFNE", "x"]), json!("OK")),
        (json!(["SET", "k", "b", "IFNE", "a"]), json!(null)),
        (
            json!(["SET", "k", "b", "EX", 100, "IFEQ", "a"]),
            json!("OK"),
        ),
        (json!(["TTL", "k"]), json!(100)),
        (json!(["SET", "k", "c", "get", "ifeq", "x"]), json!("b")),
        (
            json!(["SET", "k", "c", "IFEQ", "b", "GET", "KEEPTTL"]),
            json!("b"),
        ),
        (json!(["TTL", "k"]), json!(100)),
        (json!(["DELEX", "k", "IFNE", "c"]), json!(0)),
        (json!(["DELEX", "none", "IFNE", "c"]), json!(0)),
        (json!(["DELEX", "k", "IFEQ", "c"]), json!(1)),
        (json!(["DELEX", "k"]), json!(0)),
    ];
    for (command, reply) in &cases {
        assert_eq!(endpoint.run(command.clone()).await, *reply, "{command}");
    }
    let commands: Vec<_> = cases.iter().map(|(command, _)| command).collect();
    let (_, body) = endpoint.batch("/multi-exec", json!(commands)).await;
    let replies: Vec<_> = cases
        .iter()
        .map(|(_, reply)| json!({ "result": reply }))
        .collect();
    assert_eq!(body, json!(replies));
    if let Some(meter) = endpoint.meter() {
        let billed = 2 * cases.len() as u64;
        assert_eq!((meter.total, meter.commands["set"]), (billed, 12));
    }
    endpoint.run(json!(["LPUSH", "l", 1])).await;
    for command in [
        json!(["SET", "l", "a", "IFEQ", "x"]),
        json!(["DELEX", "l", "IFEQ", "x"]),
    ] {
        let error = endpoint.error(command).await;
        assert!(error.starts_with("WRONGTYPE"), "{error}");
    }
    let error = endpoint
        .error(json!(["SET", "k", "a", "IFEQ", "x", "NX"]))
        .await;
    assert!(error.starts_with("ERR syntax error"), "{error}");
}

/// Runs futures concurrently in this task.
async fn side_by_side<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = futures.map(|future| Some(Box::pin(future))).collect();
    let mut done: Vec<Option<T>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, slot) in waiting.iter_mut().zip(&mut done) {
            if let Some(running) = future
                && let std::task::Poll::Ready(value) = running.as_mut().poll(context)
            {
                *slot = Some(value);
                *future = None;
            }
        }
        match done.iter().all(Option::is_some) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    done.into_iter().flatten().collect()
}
