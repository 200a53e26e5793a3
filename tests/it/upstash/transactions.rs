//! Pipelines and transactions.

use reqwest::StatusCode;
use serde_json::json;

use super::endpoint::Endpoint;

#[tokio::test]
async fn a_pipeline_answers_in_order_with_errors_in_their_places() {
    let endpoint = Endpoint::start().await;
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

#[tokio::test]
async fn a_transaction_with_a_wrong_command_is_discarded_whole() {
    let endpoint = Endpoint::start().await;
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
    assert_eq!(endpoint.server.meter().total, 1);
}

#[tokio::test]
async fn a_failing_command_does_not_roll_a_transaction_back() {
    let endpoint = Endpoint::start().await;
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

#[tokio::test]
async fn transactions_do_not_interleave() {
    let endpoint = Endpoint::start().await;
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

/// Runs futures side by side on this task.
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
