//! The webhook of a guild.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};

use super::{Item, ItemType};

/// The hosts of Discord's webhooks.
const DISCORD: [&str; 4] = [
    "discord.com",
    "discordapp.com",
    "canary.discord.com",
    "ptb.discord.com",
];

/// What a webhook may want to hear of.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Topic {
    /// A scan that somebody requested has ended.
    ScanFinished,
    /// A scan has failed.
    ScanFailed,
    /// A scheduled scan has found new clips.
    NewClips,
}

/// What kind of address it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum WebhookKind {
    /// A webhook of a Discord channel. It gets a message for people.
    Discord,
    /// Any other address. It gets JSON with a signature.
    Signed,
}

/// The webhook of a guild.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// The address. Whoever knows it may write to it, so it is never shown again.
    pub url: String,
    /// The key of the signature. `None` for Discord, which knows no signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    pub topics: Vec<Topic>,
    /// Since when it is as it is, in unix milliseconds.
    pub updated_at: i64,
}

impl Webhook {
    /// Whether it wants to hear of an item.
    pub fn wants(&self, item: &Item) -> bool {
        let topic = match item.kind {
            ItemType::ScanFinished => Topic::ScanFinished,
            ItemType::ScanFailed => Topic::ScanFailed,
            ItemType::NewClips => Topic::NewClips,
        };
        self.topics.contains(&topic)
    }

    /// The kind of an address.
    pub fn kind_of(url: &Url) -> WebhookKind {
        let is_discord = url.scheme() == "https"
            && DISCORD.contains(&url.host_str().unwrap_or_default())
            && url.path().starts_with("/api/")
            && url.path().contains("/webhooks/");
        match is_discord {
            true => WebhookKind::Discord,
            false => WebhookKind::Signed,
        }
    }

    /// Its kind. An address that cannot be read is not Discord's.
    pub fn kind(&self) -> WebhookKind {
        Url::parse(&self.url).map_or(WebhookKind::Signed, |url| Webhook::kind_of(&url))
    }

    /// Its host, which may be shown.
    pub fn host(&self) -> String {
        let url = Url::parse(&self.url).ok();
        let host = url.as_ref().and_then(Url::host_str);
        host.unwrap_or_default().to_owned()
    }
}

/// A new key for signatures: 32 random bytes. `None` if the system provided none.
pub fn new_secret() -> Option<String> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(format!("whsec_{}", URL_SAFE_NO_PAD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_discords_own_webhooks_get_messages_for_people() {
        let kind = |url: &str| Webhook::kind_of(&Url::parse(url).unwrap());
        for url in [
            "https://discord.com/api/webhooks/1/abc",
            "https://discord.com/api/v10/webhooks/1/abc?wait=true",
            "https://canary.discord.com/api/webhooks/1/abc",
        ] {
            assert_eq!(kind(url), WebhookKind::Discord, "{url}");
        }
        for url in [
            "https://discord.com.evil.example/api/webhooks/1/abc",
            "https://evil.example/discord.com/api/webhooks/1/abc",
            "https://discord.com/login",
            "http://discord.com/api/webhooks/1/abc",
        ] {
            assert_eq!(kind(url), WebhookKind::Signed, "{url}");
        }
    }

    #[test]
    fn secrets_are_long_and_differ() {
        let (one, two) = (new_secret().unwrap(), new_secret().unwrap());
        assert!(one.len() > 40 && one != two);
    }
}
