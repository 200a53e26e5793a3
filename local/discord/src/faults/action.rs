//! What can go wrong.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A fault's effect. In JSON, for example `"drop_connection"`,
/// `{"status": 503}`, `{"delay_ms": 200}` or
/// `{"rate_limited": {"scope": "user", "retry_after_secs": 0.9}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// 429 as Discord's limiter answers it.
    RateLimited { scope: Scope, retry_after_secs: f64 },
    /// 429 as Cloudflare answers a banned address: HTML, `Retry-After`, no JSON.
    CloudflareBan,
    /// 429 with JSON about a blocked address, and no `retry_after` anywhere.
    BlockedJson,
    /// Any status with Discord's JSON error body.
    Status(u16),
    /// Any status with Discord's JSON error body and any code of Discord's.
    Refused { status: u16, code: u64 },
    /// Any status with an HTML body.
    HtmlBody(u16),
    /// 401 as for a token that was reset.
    Unauthorized,
    /// The right answer, cut in the middle of its JSON.
    TruncatedJson,
    /// The connection closes without an answer.
    DropConnection,
    /// The answer comes later.
    #[serde(rename = "delay_ms")]
    Delay(#[serde(with = "milliseconds")] Duration),
    /// The message in the middle of the page (index `len / 2`) has no author
    /// and a text for attachments. It keeps its id.
    BrokenMessage,
    /// These messages are deleted just before the page is made.
    DeleteBetweenPages(#[serde(with = "ids")] Vec<u64>),
    /// Content, attachments, embeds and components are empty, and the
    /// application's flags lack the intent.
    MissingContentIntent,
    /// The page comes oldest first, as from some compatible servers.
    OldestFirst,
    /// The CDN sends whole files with 200, as some compatible servers do.
    IgnoreRange,
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

/// What a request is for, as far as faults care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Listing,
    Message,
    Application,
    Other,
    Cdn,
}

impl Action {
    /// Whether it takes the place of the answer, instead of changing it.
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
        )
    }

    /// Whether it can do anything to such a request. One that cannot is not
    /// used up by it.
    pub(crate) fn concerns(&self, target: Target) -> bool {
        match self {
            Self::BrokenMessage | Self::DeleteBetweenPages(_) | Self::OldestFirst => {
                target == Target::Listing
            }
            Self::MissingContentIntent => matches!(
                target,
                Target::Listing | Target::Message | Target::Application
            ),
            Self::IgnoreRange => target == Target::Cdn,
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

/// Ids are strings in JSON, as everywhere on Discord; numbers are read too.
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
