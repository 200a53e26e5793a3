use std::time::Duration;

use discord_local::RateLimit;

use super::{Fixture, NOW_MS, numbered};

const PATH: &str = "/channels/2/messages";

#[tokio::test]
async fn every_answer_reports_the_state_of_its_bucket() {
    let fixture = Fixture::limited(numbered(1), RateLimit::default()).await;
    let first = fixture.get(PATH).await;
    fixture.advance_ms(1_500);
    let second = fixture.get(PATH).await;
    let refused = fixture.get("/channels/9/messages").await;

    assert_eq!(first.header("x-ratelimit-limit"), "5");
    assert_eq!(first.header("x-ratelimit-remaining"), "4");
    assert_eq!(first.header("x-ratelimit-reset-after"), "5.000");
    assert_eq!(second.header("x-ratelimit-remaining"), "3");
    assert_eq!(second.header("x-ratelimit-reset-after"), "3.500");
    let reset = format!("{}.000", (NOW_MS + 5_000) / 1_000);
    assert_eq!(second.header("x-ratelimit-reset"), reset);
    assert_eq!(refused.header("x-ratelimit-remaining"), "4");
    assert_eq!(
        refused.header("x-ratelimit-bucket"),
        first.header("x-ratelimit-bucket")
    );
}

#[tokio::test]
async fn a_full_bucket_refuses_until_it_resets_and_others_are_untouched() {
    let limit = RateLimit::per_channel(2, Duration::from_secs(5));
    let fixture = Fixture::limited(numbered(1), limit).await;
    fixture.get(PATH).await;
    fixture.get(PATH).await;
    fixture.advance_ms(4_400);

    let refused = fixture.get(PATH).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.body["retry_after"], 0.6);
    assert_eq!(refused.body["global"], false);
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.header("x-ratelimit-scope"), "user");
    assert_eq!(refused.header("x-ratelimit-remaining"), "0");
    assert_eq!(refused.header("x-ratelimit-reset-after"), "0.600");
    assert_eq!(fixture.get("/channels/9/messages").await.status, 404);
    assert_eq!(fixture.get("/channels/2").await.status, 200);

    fixture.advance_ms(600);
    assert_eq!(fixture.get(PATH).await.status, 200);
}

#[tokio::test]
async fn switched_off_nothing_is_refused_and_room_always_remains() {
    let fixture = Fixture::start(numbered(1)).await;
    for _ in 0..20 {
        let answer = fixture.get(PATH).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("x-ratelimit-remaining"), "4");
    }
}
