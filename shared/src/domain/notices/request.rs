//! A notice as a request.
//!
//! Discord gets a message for people. Anybody else gets JSON, and a signature: the header
//! `X-Trawl-Signature: t={seconds},v1={hex}`. The hex digits are an HMAC-SHA256 of
//! `{seconds}.{body}` under the webhook's secret. Whoever checks the seconds as well refuses
//! a request that somebody recorded and sent again.

use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use ring::hmac;
use serde_json::{Value, json};

use super::{Item, ItemType, Webhook, WebhookKind};
use crate::outbound::Outgoing;

/// The header of the signature.
pub const SIGNATURE: &str = "x-trawl-signature";

/// The header of the notice's id. A notice that is sent twice has the same id both times.
const DELIVERY: &str = "x-trawl-delivery";

/// Items that one notice names. It only counts the others.
const MOST: usize = 20;

/// The longest message that Discord takes, in characters.
const LONGEST: usize = 2000;

/// Makes the request that tells `items`, the oldest first, at `now`.
pub fn request(
    webhook: &Webhook,
    guild_id: &str,
    delivery: &str,
    items: &[Item],
    now: i64,
) -> Outgoing {
    let shown = &items[..items.len().min(MOST)];
    let omitted = items.len() - shown.len();
    let body = match webhook.kind() {
        WebhookKind::Discord => for_people(shown, omitted),
        WebhookKind::Signed => json!({
            "id": delivery,
            "guildId": guild_id,
            "sentAt": now,
            "items": shown,
            "omitted": omitted,
        }),
    };
    let body = body.to_string();
    let text = |text: &str| HeaderValue::from_str(text).ok();
    let mut headers = vec![
        (CONTENT_TYPE, text("application/json")),
        (
            USER_AGENT,
            text(concat!("Trawl/", env!("CARGO_PKG_VERSION"))),
        ),
        (HeaderName::from_static(DELIVERY), text(delivery)),
    ];
    if let Some(secret) = &webhook.secret {
        let signature = sign(secret, now.div_euclid(1000), &body);
        headers.push((HeaderName::from_static(SIGNATURE), text(&signature)));
    }
    headers
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .fold(
            Outgoing::post(&webhook.url, body),
            |request, (name, value)| request.header(name, value),
        )
}

fn sign(secret: &str, seconds: i64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signed = hmac::sign(&key, format!("{seconds}.{body}").as_bytes());
    let hex: String = signed
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("t={seconds},v1={hex}")
}

fn for_people(items: &[Item], omitted: usize) -> Value {
    let mut text: Vec<String> = items.iter().map(line).collect();
    if omitted > 0 {
        text.push(format!("… and {omitted} more scans"));
    }
    let text: String = text.join("\n").chars().take(LONGEST).collect();
    // Nobody is pinged, whatever the text contains.
    json!({ "content": text, "allowed_mentions": { "parse": [] } })
}

fn line(item: &Item) -> String {
    let place = match &item.channel_id {
        Some(channel) => format!("<#{channel}>"),
        None => "the server".to_owned(),
    };
    let clips = match item.clips_found {
        1 => "1 new clip".to_owned(),
        n => format!("{n} new clips"),
    };
    match item.kind {
        ItemType::NewClips => format!("{clips} in {place}"),
        ItemType::ScanFinished => {
            let n = item.messages_scanned;
            format!("The scan of {place} has finished: {clips}, {n} messages read")
        }
        ItemType::ScanFailed => {
            let why = item
                .error_message
                .as_deref()
                .unwrap_or("no reason is known");
            format!("The scan of {place} has failed: {why}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(kind: ItemType, message: &str) -> Item {
        Item {
            kind,
            scan_id: "01".to_owned(),
            job_type: "scan".to_owned(),
            channel_id: Some("5".to_owned()),
            messages_scanned: 3,
            clips_found: 1,
            error_code: None,
            error_message: Some(message.to_owned()),
            at: 7,
        }
    }

    #[test]
    fn a_signature_is_an_hmac_of_time_and_body() {
        // Computed with Python's hmac module.
        let signed = sign("whsec_x", 1_795_219_200, "{\"a\":1}");
        let expected =
            "t=1795219200,v1=14757f96e8908e46f48316e01db4b54bb86cf70eb0a3e26fa6a62e72a3722dde";
        assert_eq!(signed, expected);
    }

    #[test]
    fn a_message_for_people_is_short_and_pings_nobody() {
        let long = "@everyone ".repeat(500);
        let items: Vec<Item> = (0..20).map(|_| item(ItemType::ScanFailed, &long)).collect();
        let body = for_people(&items, 5);
        let text = body["content"].as_str().unwrap();
        assert_eq!(text.chars().count(), LONGEST);
        assert_eq!(body["allowed_mentions"], json!({ "parse": [] }));
        let new = for_people(&[item(ItemType::NewClips, "")], 0);
        assert_eq!(new["content"], "1 new clip in <#5>");
    }
}
