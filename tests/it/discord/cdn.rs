use std::time::Duration;

use discord_local::{AttachmentSpec, Guild, MessageSpec, sample};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::{Fixture, TOKEN, USER_AGENT};

const HOUR_MS: i64 = 3_600_000;

async fn with_clip(attachment: AttachmentSpec) -> (Fixture, Value) {
    let mut guild = Guild::empty(1);
    guild.add_text_channel(2, "clips");
    guild.add_message(2, MessageSpec::default().attachment(attachment));
    let fixture = Fixture::start(guild).await;
    let page = fixture.get("/channels/2/messages").await.body;
    (fixture, page[0]["attachments"][0].clone())
}

fn url(attachment: &Value) -> &str {
    attachment["url"].as_str().unwrap()
}

async fn fetch(fixture: &Fixture, url: &str, range: &str) -> Response {
    let request = fixture.client.get(url).header("range", range);
    request.send().await.unwrap()
}

#[tokio::test]
async fn a_range_is_answered_with_206_and_the_size_the_message_gave() {
    let (fixture, attachment) = with_clip(AttachmentSpec::video("goal.mp4")).await;
    let response = fetch(&fixture, url(&attachment), "bytes=0-1023").await;
    assert_eq!(response.status(), 206);
    let content_range = response.headers()["content-range"].to_str().unwrap();
    assert_eq!(content_range, "bytes 0-1023/1500000");
    assert_eq!(attachment["size"], 1_500_000);
    let bytes = response.bytes().await.unwrap();
    assert_eq!((bytes.len(), &bytes[4..8]), (1_024, &b"ftyp"[..]));
}

#[tokio::test]
async fn the_index_tells_the_real_duration_wherever_it_lies() {
    let video = AttachmentSpec::video("goal.mov")
        .duration(Duration::from_millis(12_345))
        .declared_secs(Some(3.0));
    for video in [video.clone(), video.moov_at_end()] {
        let (fixture, attachment) = with_clip(video).await;
        let response = fixture.client.get(url(&attachment)).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let bytes = response.bytes().await.unwrap();
        assert_eq!(attachment["size"], bytes.len());
        let mvhd = bytes.windows(4).position(|name| name == b"mvhd").unwrap();
        let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        assert_eq!((word(mvhd + 16), word(mvhd + 20)), (1_000, 12_345));
        assert_eq!(attachment["duration_secs"], 3.0);
    }
}

#[tokio::test]
async fn ranges_put_together_are_the_whole_file() {
    let videos = ["goal.mp4", "goal.webm", "goal.mkv"].map(AttachmentSpec::video);
    let [mp4, webm, mkv] = videos.map(|video| video.size_bytes(2_000));
    for video in [mp4.clone().moov_at_end(), mp4, webm, mkv] {
        let (fixture, attachment) = with_clip(video).await;
        let whole = fixture.client.get(url(&attachment)).send().await.unwrap();
        let whole = whole.bytes().await.unwrap();
        let mut parts = Vec::new();
        for begin in (0..2_000).step_by(300) {
            let range = format!("bytes={begin}-{}", begin + 299);
            let part = fetch(&fixture, url(&attachment), &range).await;
            parts.extend(part.bytes().await.unwrap());
        }
        assert_eq!(parts, whole);
        assert_eq!(whole.len(), 2_000);
    }
}

#[tokio::test]
async fn a_range_behind_the_end_is_refused_with_the_size() {
    let (fixture, attachment) = with_clip(AttachmentSpec::video("goal.mp4")).await;
    let response = fetch(&fixture, url(&attachment), "bytes=1500000-").await;
    assert_eq!(response.status(), 416);
    assert_eq!(response.headers()["content-range"], "bytes */1500000");
}

#[tokio::test]
async fn an_address_is_the_same_for_a_while_and_good_for_about_a_day() {
    let (fixture, attachment) = with_clip(AttachmentSpec::video("goal.mp4")).await;
    fixture.advance_ms(60_000);
    let page = fixture.get("/channels/2/messages").await.body;
    assert_eq!(page[0]["attachments"][0]["url"], attachment["url"]);

    fixture.advance_ms(24 * HOUR_MS - 60_000);
    let response = fixture.client.get(url(&attachment)).send().await.unwrap();
    assert_eq!(response.status(), 200);
    fixture.advance_ms(HOUR_MS);
    let response = fixture.client.get(url(&attachment)).send().await.unwrap();
    assert_eq!(response.status(), 404);
    let text = response.text().await.unwrap();
    assert_eq!(text, "This content is no longer available.");
}

#[tokio::test]
async fn an_address_without_its_signature_or_with_another_is_gone() {
    let (fixture, attachment) = with_clip(AttachmentSpec::video("goal.mp4")).await;
    let signed = url(&attachment);
    let bare = signed.split('?').next().unwrap().to_owned();
    let other = signed.replace("hm=", "hm=0");
    for url in [bare, other] {
        let response = fixture.client.get(url).send().await.unwrap();
        assert_eq!(response.status(), 404);
    }
}

#[tokio::test]
async fn refreshing_makes_an_expired_address_work_again() {
    let (fixture, attachment) = with_clip(AttachmentSpec::video("goal.mp4")).await;
    fixture.advance_ms(48 * HOUR_MS);
    let refresh = async |urls: Value| {
        let url = format!("{}/attachments/refresh-urls", fixture.server.url());
        let request = fixture.client.request(Method::POST, url);
        let request = request.header("user-agent", USER_AGENT);
        let request = request.header("authorization", format!("Bot {TOKEN}"));
        let request = request.json(&json!({ "attachment_urls": urls }));
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };

    let answer = refresh(json!([attachment["url"]])).await;
    let pair = &answer["refreshed_urls"][0];
    assert_eq!(pair["original"], attachment["url"]);
    let refreshed = pair["refreshed"].as_str().unwrap();
    let response = fixture.client.get(refreshed).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(refresh(json!([])).await["code"], 50035);
}

#[tokio::test]
async fn the_files_of_a_deleted_message_are_gone() {
    let (fixture, attachment) = with_clip(AttachmentSpec::video("goal.mp4")).await;
    let message_id = fixture.server.guild().message_ids(2)[0];
    fixture.server.delete_message(2, message_id);
    let response = fixture.client.get(url(&attachment)).send().await.unwrap();
    assert_eq!(response.status(), 404);
}

#[tokio::test]
async fn media_shown_by_components_can_be_fetched_too() {
    let fixture = Fixture::start(sample::guild(1)).await;
    let guild = fixture.server.guild();
    let clips = guild.clips(sample::CLIPS_ID);
    let clip = clips
        .iter()
        .find(|clip| clip.place == discord_local::Place::Component)
        .unwrap();
    let path = format!(
        "/channels/{}/messages/{}",
        sample::CLIPS_ID,
        clip.message_id
    );
    let text = fixture.get(&path).await.body.to_string();
    let begin = format!(
        "{}/attachments/{}/{}/",
        fixture.server.cdn_url(),
        sample::CLIPS_ID,
        clip.attachment_id
    );
    let at = text.find(&begin).unwrap();
    let url = text[at..].split('"').next().unwrap();
    let response = fetch(&fixture, url, "bytes=0-15").await;
    assert_eq!(response.status(), 206);
}
