//! Decides who may write a channel's record, and reads the policy of its scan.
//!
//! A record has one owner at a time: one attempt of a job, for a limited time. Each saved
//! page extends the ownership, and the end of the run gives it up. An attempt that is no
//! longer the owner cannot save anything, because `save.lua` compares job and fence.

use super::store::record;
use super::{Breaker, Channel, GuildSettings, OwnershipRequest, ScanStore, scripts};
use crate::redis::commands::strings::Strings as _;
use crate::redis::{Error, FromReply as _};

/// The policy for scans of a guild: whether requests to Discord are paused, and the
/// guild's settings.
#[derive(Clone, Debug, Default)]
pub struct ScanPolicy {
    /// Why requests to Discord were paused before.
    pub breaker: Breaker,
    /// The settings of the channel's guild.
    pub settings: GuildSettings,
    /// Whether the guild wants to be told how scans end.
    pub has_webhook: bool,
}

/// The result of an [`OwnershipRequest`].
#[derive(Debug)]
pub enum Ownership {
    /// The attempt owns the channel. The policy says why requests to Discord were paused
    /// before.
    Granted(Box<Channel>, ScanPolicy),
    /// The job's last page was saved before, but the queue does not know.
    Done(Box<Channel>, ScanPolicy),
    /// Another job owns it until this time, in Unix milliseconds, unless it extends its
    /// ownership.
    Busy { until: i64 },
    /// A later attempt of the same job owns it.
    Superseded,
    /// Requests to Discord are paused until this time, in Unix milliseconds.
    Paused { until: i64, breaker: Breaker },
    /// The channel's next page is not due before this time, in Unix milliseconds.
    Slow { until: i64 },
}

impl ScanStore {
    /// Makes an attempt the owner of a channel and reads the guild's settings. Refuses if
    /// requests with the attempt's token are paused or the channel's next page is not due
    /// soon. One script, at most five commands.
    ///
    /// # Errors
    /// If Redis cannot be reached or the record cannot be parsed.
    pub async fn request_ownership(
        &self,
        request: &OwnershipRequest<'_>,
    ) -> Result<Ownership, Error> {
        let keys = [
            self.keys().channels(request.guild_id),
            self.keys().breaker(),
            self.keys().settings(request.guild_id),
            self.keys().webhook(request.guild_id),
        ];
        let keys = [keys[0].as_str(), &keys[1], &keys[2], &keys[3]];
        let (word, detail, settings, breaker, webhook) =
            scripts::take(self.redis(), &keys, request).await?;
        let policy = ScanPolicy {
            breaker: Breaker::parse(&breaker),
            settings: GuildSettings::parse(Some(&settings)),
            has_webhook: webhook == "1",
        };
        Ok(match word.as_str() {
            "taken" => Ownership::Granted(record(detail)?, policy),
            "done" => Ownership::Done(record(detail)?, policy),
            "busy" => Ownership::Busy {
                until: i64::from_reply(detail)?,
            },
            "paused" => Ownership::Paused {
                until: i64::from_reply(detail)?,
                breaker: policy.breaker,
            },
            "slow" => Ownership::Slow {
                until: i64::from_reply(detail)?,
            },
            _ => Ownership::Superseded,
        })
    }

    /// Reads the policy for scans of a guild, with one command.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn scan_policy(&self, guild_id: &str) -> Result<ScanPolicy, Error> {
        let keys = [
            self.keys().breaker(),
            self.keys().settings(guild_id),
            self.keys().webhook(guild_id),
        ];
        let found = self.redis().mget(&[&keys[0], &keys[1], &keys[2]]).await?;
        let text = |n: usize| found.get(n).and_then(Option::as_deref);
        Ok(ScanPolicy {
            breaker: text(0).map(Breaker::parse).unwrap_or_default(),
            settings: GuildSettings::parse(text(1)),
            has_webhook: text(2).is_some(),
        })
    }
}
