//! Expiry with a manual clock.

use std::time::Duration;

use serde_json::json;

use super::endpoint::{Endpoint, START_MS};

#[tokio::test]
async fn a_key_is_gone_at_its_millisecond_and_not_before() {
    let endpoint = Endpoint::start().await;
    endpoint.run(json!(["SET", "k", "v", "PX", 1000])).await;
    endpoint
        .server()
        .clock()
        .advance(Duration::from_millis(999));
    assert_eq!(endpoint.run(json!(["PTTL", "k"])).await, json!(1));
    endpoint.server().clock().advance(Duration::from_millis(1));
    assert_eq!(endpoint.run(json!(["GET", "k"])).await, json!(null));
    assert_eq!(endpoint.run(json!(["DBSIZE"])).await, json!(0));
}

#[tokio::test]
async fn the_time_comes_from_the_clock() {
    let endpoint = Endpoint::start().await;
    assert_eq!(
        endpoint.run(json!(["TIME"])).await,
        json!(["1800000000", "0"])
    );
    let id = endpoint.run(json!(["XADD", "s", "*", "a", "b"])).await;
    assert_eq!(id, json!(format!("{START_MS}-0")));
    let id = endpoint.run(json!(["XADD", "s", "*", "a", "b"])).await;
    assert_eq!(id, json!(format!("{START_MS}-1")));
}

#[tokio::test]
async fn a_clock_set_back_brings_nothing_back() {
    let endpoint = Endpoint::start().await;
    endpoint.run(json!(["SET", "k", "v", "PX", 1000])).await;
    endpoint.server().clock().set(START_MS + 2000);
    assert_eq!(endpoint.run(json!(["EXISTS", "k"])).await, json!(0));
    endpoint.server().clock().set(START_MS);
    assert_eq!(endpoint.run(json!(["EXISTS", "k"])).await, json!(0));
}
