//! Who may write a channel's record, and by what its scan goes.
//!
//! A record has one owner at a time: an attempt of a job, until a time. The owner is renewed
//! with every page that is saved, and given up at the end. An attempt that is not the owner
//! any more saves nothing: `save.lua` compares job and fence.

use super::store::record;
use super::{Breaker, Channel, GuildSettings, OwnershipRequest, ScanStore, scripts};
use crate::redis::commands::strings::Strings as _;
use crate::redis::{Error, FromReply as _};

/// By what a scan of a guild goes: whether Discord is left alone, and the guild's settings.
#[derive(Clone, Debug, Default)]
pub struct ScanPolicy {
    /// Why Discord was left alone before.
    pub breaker: Breaker,
    /// The settings of the channel's guild.
    pub settings: GuildSettings,
}

/// What came of an [`OwnershipRequest`].
#[derive(Debug)]
pub enum Ownership {
    /// The attempt owns the channel. The policy says why Discord was left alone before.
    Granted(Box<Channel>, ScanPolicy),
    /// The job's last page was saved before, and the queue does not know.
    Done(Box<Channel>),
    /// Another job owns it, until this unix millisecond unless it goes on.
    Busy { until: i64 },
    /// A later attempt of the same job owns it.
    Superseded,
    /// Discord is left alone until this unix millisecond.
    Paused { until: i64, breaker: Breaker },
    /// This channel is.
    Slow { until: i64 },
}

impl ScanStore {
    /// Makes an attempt the owner of a channel and reads its guild's settings, unless
    /// Discord is to be left alone by those with its token, or the channel's next page is
    /// not to be asked for in time. One script, five commands at most.
    ///
    /// # Errors
    /// When Redis cannot be asked, or the record cannot be read.
    pub async fn request_ownership(
        &self,
        request: &OwnershipRequest<'_>,
    ) -> Result<Ownership, Error> {
        let keys = [
            self.keys().channels(request.guild_id),
            self.keys().breaker(),
            self.keys().settings(request.guild_id),
        ];
        let keys = [keys[0].as_str(), &keys[1], &keys[2]];
        let (word, detail, settings, breaker) = scripts::take(self.redis(), &keys, request).await?;
        let policy = ScanPolicy {
            breaker: Breaker::parse(&breaker),
            settings: GuildSettings::parse(Some(&settings)),
        };
        Ok(match word.as_str() {
            "taken" => Ownership::Granted(record(detail)?, policy),
            "done" => Ownership::Done(record(detail)?),
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

    /// By what a scan of a guild goes: one command.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn scan_policy(&self, guild_id: &str) -> Result<ScanPolicy, Error> {
        let keys = [self.keys().breaker(), self.keys().settings(guild_id)];
        let found = self.redis().mget(&[&keys[0], &keys[1]]).await?;
        let text = |n: usize| found.get(n).and_then(Option::as_deref);
        Ok(ScanPolicy {
            breaker: text(0).map(Breaker::parse).unwrap_or_default(),
            settings: GuildSettings::parse(text(1)),
        })
    }
}
