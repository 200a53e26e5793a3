//! What a webhook gets, and when.

use discord_local::guild::ChannelSpec;
use discord_local::{Action, Fault};
use integration::TestApp;
use ring::hmac;
use serde_json::{Value, json};

use super::{MINUTE, Receiver, everything, path, subscribe, system};
use crate::scan::{CHANNEL, GUILD, message};

#[tokio::test]
async fn the_end_of_a_scan_is_told_with_a_valid_signature() {
    let (app, receiver) = (system().await, Receiver::start().await);
    let secret = subscribe(&app, &receiver, &everything()).await;
    let scan = app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let got = receiver.got();
    assert_eq!(got.len(), 1);
    let body = got[0].json();
    assert_eq!(body["guildId"], GUILD.to_string());
    assert_eq!(body["items"].as_array().unwrap().len(), 1);
    let item = &body["items"][0];
    assert_eq!(item["type"], "scanFinished");
    assert_eq!(item["scanId"], scan.as_str());
    assert_eq!(item["channelId"], CHANNEL.to_string());
    assert_eq!(
        (&item["messagesScanned"], &item["clipsFound"]),
        (&json!(30), &json!(6))
    );
    // As a receiver checks it.
    let (time, digits) = got[0].signature.split_once(",v1=").unwrap();
    let time = time.strip_prefix("t=").unwrap();
    assert_eq!(time.parse::<i64>().unwrap(), app.clock.now_ms() / 1000);
    let bytes: Vec<u8> = (0..digits.len() / 2)
        .map(|n| u8::from_str_radix(&digits[2 * n..2 * n + 2], 16).unwrap())
        .collect();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signed = format!("{time}.{}", got[0].body);
    assert!(hmac::verify(&key, signed.as_bytes(), &bytes).is_ok());
}

#[tokio::test]
async fn a_failed_scan_is_told_with_its_reason() {
    let (app, receiver) = (system().await, Receiver::start().await);
    subscribe(&app, &receiver, &json!(["scanFailed"])).await;
    app.scan(CHANNEL + 50, json!({})).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let got = receiver.got();
    assert_eq!(got.len(), 1);
    let items = got[0].json()["items"].clone();
    assert_eq!(items.as_array().unwrap().len(), 1, "the other one finished");
    assert_eq!(items[0]["type"], "scanFailed");
    assert_eq!(items[0]["errorCode"], "channel_not_found");
    app.leaves_failed(1);
}

#[tokio::test]
async fn a_schedule_tells_of_new_clips_and_of_nothing_else() {
    let (app, receiver) = (system().await, Receiver::start().await);
    subscribe(&app, &receiver, &everything()).await;
    let schedule = format!("/api/guilds/{GUILD}/channels/{CHANNEL}/schedule");
    app.put(&schedule, &json!({ "everyMinutes": 15 })).await;
    app.advance(15 * MINUTE);
    app.drain().await;
    let got = receiver.got();
    assert_eq!(got.len(), 1);
    let item = got[0].json()["items"][0].clone();
    assert_eq!(
        (&item["type"], &item["clipsFound"]),
        (&json!("newClips"), &json!(6))
    );
    for video in [false, true] {
        app.discord
            .add_message(CHANNEL, message(50 + usize::from(video), video));
        app.advance(15 * MINUTE);
        app.drain().await;
    }
    let got = receiver.got();
    assert_eq!(got.len(), 2, "a message without a clip is no news");
    assert_eq!(got[1].json()["items"][0]["clipsFound"], 1);
}

#[tokio::test]
async fn there_is_at_most_one_notice_a_minute_and_it_tells_everything() {
    let (app, receiver) = (system().await, Receiver::start().await);
    subscribe(&app, &receiver, &everything()).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    assert_eq!(receiver.got().len(), 1);
    for _ in 0..3 {
        app.scan(CHANNEL, json!({})).await;
        app.drain().await;
    }
    assert_eq!(receiver.got().len(), 1, "within the minute");
    app.advance(MINUTE);
    app.drain().await;
    let got = receiver.got();
    assert_eq!(got.len(), 2);
    assert_eq!(got[1].json()["items"].as_array().unwrap().len(), 3);
    assert_ne!(got[0].delivery, got[1].delivery);
    app.advance(10 * MINUTE);
    app.drain().await;
    assert_eq!(receiver.got().len(), 2, "nothing is told twice");
}

#[tokio::test]
async fn a_notice_names_twenty_scans_and_counts_the_others() {
    let (app, receiver) = (system().await, Receiver::start().await);
    subscribe(&app, &receiver, &json!(["scanFailed"])).await;
    for n in 0..25 {
        app.scan(CHANNEL + 50 + n, json!({})).await;
    }
    // The first is told at once, the others a minute later.
    app.drain().await;
    app.advance(MINUTE);
    app.drain().await;
    let told: usize = receiver
        .got()
        .iter()
        .map(|got| {
            let body = got.json();
            let items = body["items"].as_array().unwrap().len();
            assert!(items <= 20);
            items + usize::try_from(body["omitted"].as_u64().unwrap()).unwrap()
        })
        .sum();
    assert_eq!(told, 25);
    app.leaves_failed(25);
}

#[tokio::test]
async fn without_a_webhook_a_scan_stores_no_notice_and_costs_nothing_more() {
    let app = system().await;
    app.scan(CHANNEL, json!({})).await;
    assert_eq!(app.drain().await["claimed"], 1);
    let (with, receiver) = (system().await, Receiver::start().await);
    subscribe(&with, &receiver, &everything()).await;
    with.delete(&path()).await;
    with.scan(CHANNEL, json!({})).await;
    assert_eq!(with.drain().await["claimed"], 1);
    assert!(receiver.got().is_empty());
}

/// Adds a second channel with a clip to the guild.
fn add_second(app: &TestApp) {
    let second = ChannelSpec::text(CHANNEL + 1, "second");
    app.discord.change_guild(|guild| guild.add_channel(second));
    app.discord.add_message(CHANNEL + 1, message(3, true));
}

/// Drains until nothing is left to tell. Returns what was told.
async fn told(app: &TestApp, receiver: &Receiver) -> Vec<Value> {
    for _ in 0..5 {
        app.drain().await;
        app.advance(MINUTE);
    }
    let got = receiver.got();
    got.iter()
        .flat_map(|got| got.json()["items"].as_array().unwrap().clone())
        .collect()
}

#[tokio::test]
async fn the_end_of_a_guild_scan_is_told_once_for_all_its_channels() {
    let (app, receiver) = (system().await, Receiver::start().await);
    subscribe(&app, &receiver, &everything()).await;
    add_second(&app);
    let scan = crate::guild_scan::begin(&app, &json!({})).await;
    let items = told(&app, &receiver).await;
    assert_eq!(items.len(), 1, "{items:?}");
    let expected = json!({
        "type": "scanFinished", "jobType": "guild", "scanId": scan, "channelId": null,
        "messagesScanned": 31, "clipsFound": 7,
    });
    crate::assert_has(&items[0], &expected);
}

#[tokio::test]
async fn a_guild_scan_in_which_a_channel_fails_is_told_as_failed_once() {
    let (app, receiver) = (system().await, Receiver::start().await);
    subscribe(&app, &receiver, &everything()).await;
    add_second(&app);
    let gone = Fault::always(Action::Status(404));
    let path = format!("/channels/{}/messages", CHANNEL + 1);
    app.discord.faults().add(gone.on(&path));
    let scan = crate::guild_scan::begin(&app, &json!({})).await;
    let items = told(&app, &receiver).await;
    assert_eq!(items.len(), 1, "{items:?}");
    let expected = json!({ "type": "scanFailed", "scanId": scan, "errorCode": "channels_failed" });
    crate::assert_has(&items[0], &expected);
    app.leaves_failed(2);
}

#[tokio::test]
async fn the_schedule_of_a_guild_tells_of_new_clips_once_a_slot() {
    let (app, receiver) = (system().await, Receiver::start().await);
    subscribe(&app, &receiver, &everything()).await;
    add_second(&app);
    let schedule = format!("/api/guilds/{GUILD}/schedule");
    app.put(&schedule, &json!({ "everyMinutes": 60 })).await;
    let mut items = Vec::new();
    for video in [true, false, true] {
        app.discord.add_message(CHANNEL, message(50, video));
        app.discord.add_message(CHANNEL + 1, message(50, video));
        app.advance(60 * MINUTE);
        items = told(&app, &receiver).await;
    }
    let told: Vec<(&Value, &Value)> = items
        .iter()
        .map(|item| (&item["type"], &item["clipsFound"]))
        .collect();
    let (new, first, second) = (json!("newClips"), json!(9), json!(2));
    assert_eq!(told, [(&new, &first), (&new, &second)]);
    assert_eq!(items[0]["jobType"], "guild");
}
