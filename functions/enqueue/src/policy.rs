//! The policy of scans: whether they are switched off, and what the settings of a guild say.
//! Read in the request that checks the caller's limit.
//!
//! Jobs for single messages are not looked at here: the drainer applies the settings to
//! every job.

use std::collections::{BTreeMap, BTreeSet};

use shared::flags::{Rules, SCANS_OFF};
use shared::http::{ApiError, Context};
use shared::queue::NewJob;
use shared::redis::Pipeline;
use shared::scan::GuildSettings;

use crate::State;

/// A scan that is asked for.
pub struct ScanTarget {
    pub guild_id: String,
    pub channel_id: String,
    /// The one named, if any.
    pub priority: Option<u8>,
}

/// The switches, and the settings of the guilds of a request.
pub struct ScanPolicy {
    rules: Rules,
    settings: BTreeMap<String, GuildSettings>,
}

impl ScanPolicy {
    /// The policy for these scans: two commands in one request, none for no scans.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn read<'a>(
        cx: &Context<State>,
        scans: impl IntoIterator<Item = &'a ScanTarget>,
    ) -> Result<ScanPolicy, ApiError> {
        let guilds = scans.into_iter().map(|scan| scan.guild_id.as_str());
        let guilds: BTreeSet<&str> = guilds.collect();
        let mut policy = ScanPolicy {
            rules: Rules::default(),
            settings: BTreeMap::new(),
        };
        if guilds.is_empty() {
            return Ok(policy);
        }
        let mut pipeline = Pipeline::new();
        let rules = cx.flags().add_read(&mut pipeline, &[SCANS_OFF]);
        let settings = cx
            .store()
            .add_read_settings(&mut pipeline, guilds.iter().copied());
        let mut replies = pipeline.send(&**cx.redis()).await?;
        policy.rules = cx.flags().read(&mut replies, rules)?;
        let settings = replies.take(settings)?.into_iter();
        for (guild, text) in guilds.into_iter().zip(settings) {
            let settings = GuildSettings::parse(text.as_deref());
            policy.settings.insert(guild.to_owned(), settings);
        }
        Ok(policy)
    }

    /// Applies the policy to the job of a scan; `place` is where it stands in the body.
    ///
    /// # Errors
    /// 503 when scans of its guild are switched off, 409 when the guild's settings leave
    /// its channel out.
    pub fn apply(&self, scan: &ScanTarget, place: &str, job: &mut NewJob) -> Result<(), ApiError> {
        if self.rules.is_on(SCANS_OFF, &scan.guild_id) {
            return Err(ApiError::switched_off("scans are switched off"));
        }
        let Some(settings) = self.settings.get(&scan.guild_id) else {
            return Ok(());
        };
        if settings.leaves_out(&scan.channel_id) {
            let reason = "the settings of the guild leave this channel out";
            return Err(ApiError::conflict(format!("{place}channelId: {reason}")));
        }
        job.priority = scan.priority.unwrap_or(settings.priority);
        Ok(())
    }
}
