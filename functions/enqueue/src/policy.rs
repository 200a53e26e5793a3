//! The policy for scans: whether they are switched off, and what the guild's settings
//! say. It is read in the same request that checks the caller's rate limit.
//!
//! Jobs for single messages are not checked here. The drainer applies the settings to
//! every job.

use std::collections::{BTreeMap, BTreeSet};

use shared::flags::{Rules, SCANS_OFF};
use shared::http::{ApiError, Context, ErrorCode, FieldCode, FieldError};
use shared::queue::NewJob;
use shared::redis::Pipeline;
use shared::scan::GuildSettings;

use crate::State;

/// A requested scan.
pub struct ScanTarget {
    pub guild_id: String,
    pub channel_id: String,
    /// The requested priority, if any.
    pub priority: Option<u8>,
}

/// The switches and the settings of all guilds in a request.
pub struct ScanPolicy {
    rules: Rules,
    settings: BTreeMap<String, GuildSettings>,
}

impl ScanPolicy {
    /// Reads the policy for these scans: two commands in one request, or none if there
    /// are no scans.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn read<'a, P>(
        cx: &Context<State, P>,
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

    /// Applies the policy to the job of a scan. `index` is the job's position in the body, if
    /// that is an array.
    ///
    /// # Errors
    /// 503 if scans of the guild are switched off, 409 if the guild's settings exclude
    /// the channel.
    pub fn apply(
        &self,
        scan: &ScanTarget,
        index: Option<usize>,
        job: &mut NewJob,
    ) -> Result<(), ApiError> {
        if self.rules.is_on(SCANS_OFF, &scan.guild_id) {
            return Err(ApiError::switched_off("an operator has switched scans off"));
        }
        let Some(settings) = self.settings.get(&scan.guild_id) else {
            return Ok(());
        };
        if settings.leaves_out(&scan.channel_id) {
            let detail = "the guild's settings exclude this channel";
            let error = FieldError::field("channelId", FieldCode::Invalid, detail).in_item(index);
            return Err(ApiError::new(ErrorCode::ChannelExcluded, error.to_string()).about(error));
        }
        job.priority = scan.priority.unwrap_or(settings.priority);
        Ok(())
    }
}
