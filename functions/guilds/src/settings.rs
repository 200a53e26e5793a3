//! `GET` and `PUT /api/guilds/{guildId}/settings`.

use std::sync::Arc;

use serde::Deserialize;
use shared::cache::{Entry, SETTINGS};
use shared::http::{ApiError, Bounded, Reply, Request, Seconds, Snowflake};
use shared::redis::{self, Pipeline, Redis};
use shared::scan::GuildSettings;

use crate::{State, id};

/// The most channels one guild may leave out; Discord has 500 in a guild.
const MOST_EXCLUDED: usize = 500;

/// All settings; what is left out is the default again.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wanted {
    min_video_seconds: Option<Seconds>,
    include_threads: Option<bool>,
    excluded_channel_ids: Option<Vec<Snowflake>>,
    priority: Option<Bounded<1, 10>>,
}

pub async fn read(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let guild = id(&request, "guildId")?;
    let store = state.store.on(&redis);
    let load = || async {
        let settings = store.settings(guild.as_str()).await?;
        Ok::<_, redis::Error>(Some(settings))
    };
    let entry = Entry::new(&SETTINGS, guild.as_str());
    let found = state.cache.on(&redis).get_or_load(&entry, load).await?;
    Ok(Reply::ok(&found.unwrap_or_default()))
}

pub async fn write(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let guild = id(&request, "guildId")?;
    let wanted: Wanted = request.json()?;
    let excluded = wanted.excluded_channel_ids.unwrap_or_default();
    if excluded.len() > MOST_EXCLUDED {
        let detail = format!("excludedChannelIds: expected a list of at most {MOST_EXCLUDED} ids");
        return Err(ApiError::bad_request(detail));
    }
    let default = GuildSettings::default();
    let settings = GuildSettings {
        min_video_seconds: wanted.min_video_seconds.map(Seconds::get),
        include_threads: wanted.include_threads.unwrap_or(default.include_threads),
        excluded_channel_ids: excluded.into_iter().map(String::from).collect(),
        priority: wanted.priority.map_or(default.priority, |p| p.get() as u8),
    };
    let mut pipeline = Pipeline::new();
    let stored = state
        .store
        .add_settings(&mut pipeline, guild.as_str(), &settings);
    // After the settings themselves, over whatever a reader is loading.
    let entry = Entry::new(&SETTINGS, guild.as_str());
    let cache = state.cache.on(&redis);
    if !cache.is_apart() {
        cache.add_set(&mut pipeline, &entry, Some(&settings));
    }
    pipeline.send(&*redis).await?.take(stored)?;
    if cache.is_apart() {
        // A failure is counted: readers see the settings of before, for a minute at most.
        let _ = cache.set(&entry, Some(&settings)).await;
    }
    Ok(Reply::ok(&settings))
}
