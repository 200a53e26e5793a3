//! Under what terms a scan is taken on: whether scans are switched off, and what the
//! settings of its guild say. Read in the request that checks the caller's limit.
//!
//! Jobs for single messages are not looked at here; the drainer heeds the settings for
//! them as for all.

use std::collections::{BTreeMap, BTreeSet};

use shared::flags::{Rules, SCANS_OFF};
use shared::http::ApiError;
use shared::queue::NewJob;
use shared::redis::{Pipeline, Redis};
use shared::scan::GuildSettings;

use crate::State;

/// A scan that is asked for.
pub struct Wanted {
    pub guild_id: String,
    pub channel_id: String,
    /// The one named, if any.
    pub priority: Option<u8>,
}

/// What holds for the guilds of a request.
pub struct Terms {
    rules: Rules,
    settings: BTreeMap<String, GuildSettings>,
}

impl Terms {
    /// What holds for these scans: two commands in one request; none for no scans.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn read<'a>(
        state: &State,
        redis: &Redis,
        scans: impl IntoIterator<Item = &'a Wanted>,
    ) -> Result<Terms, ApiError> {
        let guilds = scans.into_iter().map(|scan| scan.guild_id.as_str());
        let guilds: BTreeSet<&str> = guilds.collect();
        let mut terms = Terms {
            rules: Rules::default(),
            settings: BTreeMap::new(),
        };
        if guilds.is_empty() {
            return Ok(terms);
        }
        let mut pipeline = Pipeline::new();
        let rules = state.flags.add_read(&mut pipeline, &[SCANS_OFF]);
        let settings = state
            .store
            .add_read_settings(&mut pipeline, guilds.iter().copied());
        let mut replies = pipeline.send(&**redis).await?;
        terms.rules = state.flags.read(&mut replies, rules)?;
        let settings = replies.take(settings)?.into_iter();
        for (guild, text) in guilds.into_iter().zip(settings) {
            let settings = GuildSettings::parse(text.as_deref());
            terms.settings.insert(guild.to_owned(), settings);
        }
        Ok(terms)
    }

    /// Puts the job of a scan under them; `place` is where it stands in the body.
    ///
    /// # Errors
    /// 503 when scans of its guild are switched off, 409 when the guild's settings leave
    /// its channel out.
    pub fn apply(&self, scan: &Wanted, place: &str, job: &mut NewJob) -> Result<(), ApiError> {
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
