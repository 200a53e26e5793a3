//! The effects a fault can have.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A fault's effect. In JSON, for example `"drop_connection"`,
/// `{"status": 503}`, `{"delay_ms": 200}` or
/// `{"rate_limited": {"scope": "user", "retry_after_secs": 0.9}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// 429 from Discord's rate limiter.
    RateLimited { scope: Scope, retry_after_secs: f64 },
    /// 429 from Cloudflare for a banned IP address: HTML, `Retry-After`, no JSON.
    CloudflareBan,
    /// 429 with JSON about a blocked IP address, without `retry_after`.
    BlockedJson,
    /// Any status with Discord's JSON error body.
    Status(u16),
    /// Any status with Discord's JSON error body and any Discord error code.
    Refused { status: u16, code: u64 },
    /// Any status with an HTML body.
    HtmlBody(u16),
    /// 401, as after the token was reset.
    Unauthorized,
    /// The correct answer, truncated in the middle of the JSON.
    TruncatedJson,
    /// The connection is closed without an answer.
    DropConnection,
    /// The answer is delayed.
    #[serde(rename = "delay_ms")]
    Delay(#[serde(with = "milliseconds")] Duration),
    /// The message in the middle of the page (index `len / 2`) has no author, and its
    /// `attachments` field is a string. It keeps its ID.
    BrokenMessage,
    /// These messages are deleted just before the page is read.
    DeleteBetweenPages(#[serde(with = "ids")] Vec<u64>),
    /// Content, attachments, embeds and components are empty, and the application's flags
    /// do not include the intent.
    MissingContentIntent,
    /// The page is sorted oldest first, as on some compatible servers.
    OldestFirst,
    /// The CDN sends whole files with 200, as some compatible servers do.
    IgnoreRange,
    /// The answer is a redirect to this address.
    Redirect(String),
    /// The CDN sends half of what was asked for, and then nothing more. The connection
    /// stays open.
    Stall,
    /// The CDN sends half of what was asked for and closes the connection.
    CutBody,
    /// The CDN claims that the file has this many bytes.
    WrongTotal(u64),
}

/// Whose limit was hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    User,
    Global,
    Shared,
}

impl Scope {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Global => "global",
            Self::Shared => "shared",
        }
    }
}

/// The kind of target that a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Listing,
    Message,
    Application,
    Other,
    Cdn,
}

impl Action {
    /// Whether the action replaces the answer instead of modifying it.
    pub(crate) fn replaces_answer(&self) -> bool {
        matches!(
            self,
            Self::RateLimited { .. }
                | Self::CloudflareBan
                | Self::BlockedJson
                | Self::Status(_)
                | Self::Refused { .. }
                | Self::HtmlBody(_)
                | Self::Unauthorized
                | Self::DropConnection
                | Self::Redirect(_)
        )
    }

    /// Whether the action can affect a request to this target. Other requests do not use
    /// the fault up.
    pub(crate) fn concerns(&self, target: Target) -> bool {
        match self {
            Self::BrokenMessage | Self::DeleteBetweenPages(_) | Self::OldestFirst => {
                target == Target::Listing
            }
            Self::MissingContentIntent => matches!(
                target,
                Target::Listing | Target::Message | Target::Application
            ),
            Self::IgnoreRange | Self::Stall | Self::CutBody | Self::WrongTotal(_) => {
                target == Target::Cdn
            }
            _ => true,
        }
    }
}

mod milliseconds {
    use super::*;

    pub(super) fn serialize<S: Serializer>(delay: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(delay.as_millis() as u64)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

/// IDs are strings in JSON, as everywhere in Discord's API. Numbers are accepted too.
mod ids {
    use super::*;

    pub(super) fn serialize<S: Serializer>(ids: &[u64], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(ids.iter().map(u64::to_string))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u64>, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Id {
            Number(u64),
            Text(String),
        }
        Vec::<Id>::deserialize(from)?
            .into_iter()
            .map(|id| match id {
                Id::Number(id) => Ok(id),
                Id::Text(text) => text.parse().map_err(D::Error::custom),
            })
            .collect()
    }
}
