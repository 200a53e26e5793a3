//! `GET`, `PUT` and `PATCH /api/guilds/{guildId}/settings`.
//!
//! Settings have an `ETag`. With `If-Match`, a change applies only to the settings that
//! the caller has seen. A `PATCH` without it applies to the newest settings, even if
//! others change them at the same time.

use std::sync::Arc;

use futures_util::future::join;
use shared::cache::{Cache, Entry, SETTINGS};
use shared::http::{ApiError, Context, EntityTags, ErrorCode, Reply, Snowflake, Spec};
use shared::openapi::Operation;
use shared::redis::{self, AutoPipeline, Pipeline, Redis};
use shared::scan::{GuildSettings, ScanStore};

use crate::State;
use crate::discord::{OneGuild, is_visible, unknown_guild};
use crate::etag::etag;
use crate::input::{SettingsInput, SettingsPatch};

const PATH: &str = "/api/guilds/{guildId}/settings";

pub const READ: Spec<OneGuild> = Spec::get(PATH, "getSettings", "Get a guild's settings");

pub const WRITE: Spec<OneGuild> = Spec::put(PATH, "putSettings", "Replace a guild's settings");

pub const MERGE: Spec<OneGuild> =
    Spec::patch(PATH, "patchSettings", "Change a guild's settings").reads_first();

/// How often a change is retried while others change the same settings.
const TRIES: u32 = 5;

pub fn operations() -> Vec<Operation> {
    let changed = |operation: Operation| {
        operation
            .conditional()
            .reply::<GuildSettings>(200, "The settings after the change.")
            .header("ETag")
    };
    vec![
        READ.operation().describe("Returns the settings of a guild. A guild whose settings were never changed has the defaults. The `ETag` names this version of the settings.")
            .reply::<GuildSettings>(200, "The settings.")
            .header("ETag")
            .problems(&[404]),
        changed(WRITE.operation().describe("Replaces all settings of a guild. A setting that the body leaves out gets its default. With `If-Match` the change is made only to the version that the caller has seen.").body::<SettingsInput>()).problems(&[404]),
        changed(MERGE.operation().describe("Changes the settings that the body names and keeps the others. `null` gives a setting its default. Of two changes at the same time none is lost. With `If-Match` the change is made only to the version that the caller has seen.").body::<SettingsPatch>()).problems(&[404, 409]),
    ]
}

pub async fn read(cx: Context<State, OneGuild>) -> Result<Reply, ApiError> {
    let (guild, cache, store) = (&cx.path.guild_id, cx.cache(), cx.store());
    let load = || async {
        match is_visible(&cx.state.discord, &cache, guild).await? {
            true => Ok::<_, ApiError>(Some(store.settings(guild.as_str()).await?)),
            false => Ok(None),
        }
    };
    let entry = Entry::new(&SETTINGS, guild.as_str());
    let found = cache.get_or_load(&entry, load).await?;
    Ok(shown(&found.ok_or_else(unknown_guild)?))
}

/// Replaces all settings. A missing field is reset to its default.
pub async fn write(cx: Context<State, OneGuild>) -> Result<Reply, ApiError> {
    let input: SettingsInput = cx.json()?;
    let settings = input.into_settings()?;
    let condition = cx.entity_tags("if-match")?;
    let change = Change::new(&cx);
    if condition.is_some() {
        return change.make(condition, |_| settings.clone()).await;
    }
    if !is_visible(&cx.state.discord, &change.cache, change.guild).await? {
        return Err(unknown_guild());
    }
    change.overwrite(&settings).await?;
    Ok(shown(&settings))
}

/// Changes the given settings. `null` resets a field to its default.
pub async fn merge(cx: Context<State, OneGuild>) -> Result<Reply, ApiError> {
    let patch: SettingsPatch = cx.json()?;
    patch.check()?;
    let condition = cx.entity_tags("if-match")?;
    let change = Change::new(&cx);
    change
        .make(condition, |settings| patch.apply(settings))
        .await
}

fn shown(settings: &GuildSettings) -> Reply {
    Reply::ok(settings).with_header("etag", &etag(settings))
}

/// A change to the settings of a guild.
struct Change<'a> {
    guild: &'a Snowflake,
    state: &'a State,
    cache: Cache,
    store: ScanStore,
    redis: &'a Redis,
}

impl<'a> Change<'a> {
    fn new(cx: &'a Context<State, OneGuild>) -> Change<'a> {
        Change {
            guild: &cx.path.guild_id,
            state: &cx.state,
            cache: cx.cache(),
            store: cx.store(),
            redis: cx.redis(),
        }
    }

    /// Replaces the settings with the result of `next`, provided that they have not
    /// changed in the meantime. If they have, applies `next` to the newer settings.
    async fn make(
        &self,
        condition: Option<EntityTags>,
        next: impl Fn(GuildSettings) -> GuildSettings,
    ) -> Result<Reply, ApiError> {
        let guild = self.guild.as_str();
        let mut stored = self.first_look().await?;
        for _ in 0..TRIES {
            let before = GuildSettings::parse(stored.as_deref());
            let after = next(before.clone());
            // An earlier try whose reply was lost may already have made the change.
            if after == before {
                return Ok(shown(&after));
            }
            if condition
                .as_ref()
                .is_some_and(|tags| !tags.have(&etag(&before)))
            {
                let detail = "the settings have changed since you read them: read them again and send the new ETag";
                return Err(ApiError::new(ErrorCode::PreconditionFailed, detail));
            }
            let replaced = self.replace(stored.as_deref(), &after).await;
            match replaced {
                Ok(true) => return Ok(shown(&after)),
                Ok(false) => {}
                Err(error) if error.is_outcome_unknown() => {}
                Err(error) => return Err(error.into()),
            }
            stored = self.store.stored_settings(guild).await?;
        }
        let detail = "the settings are being changed by others; try again";
        Err(ApiError::new(ErrorCode::SettingsContended, detail))
    }

    /// Reads the stored settings of a guild that the bot can see, in one request.
    async fn first_look(&self) -> Result<Option<String>, ApiError> {
        let together: Redis = Arc::new(AutoPipeline::new(self.redis.clone()));
        let (cache, store) = (self.cache.on(&together), self.store.on(&together));
        let (visible, stored) = join(
            is_visible(&self.state.discord, &cache, self.guild),
            store.stored_settings(self.guild.as_str()),
        )
        .await;
        if !visible? {
            return Err(unknown_guild());
        }
        Ok(stored?)
    }

    async fn replace(
        &self,
        before: Option<&str>,
        after: &GuildSettings,
    ) -> Result<bool, redis::Error> {
        let (guild, entry) = (self.guild.as_str(), self.entry());
        let mut pipeline = Pipeline::new();
        let replaced = self
            .store
            .add_replacement(&mut pipeline, guild, before, after);
        // Not set here: at this point it is not known whether the new settings were
        // stored.
        if !self.cache.has_own_database() {
            self.cache.add_invalidation(&mut pipeline, &entry);
        }
        let replaced = pipeline.send(&**self.redis).await?.take(replaced)?;
        if self.cache.has_own_database() {
            // A failure is counted. Readers then see the old settings for up to a minute.
            let _ = self.cache.invalidate(&entry).await;
        }
        Ok(replaced)
    }

    async fn overwrite(&self, settings: &GuildSettings) -> Result<(), redis::Error> {
        let entry = self.entry();
        let mut pipeline = Pipeline::new();
        let guild = self.guild.as_str();
        let stored = self.store.add_settings(&mut pipeline, guild, settings);
        // Written after the settings themselves, over anything that a reader is loading.
        if !self.cache.has_own_database() {
            self.cache.add_set(&mut pipeline, &entry, Some(settings));
        }
        pipeline.send(&**self.redis).await?.take(stored)?;
        if self.cache.has_own_database() {
            let _ = self.cache.set(&entry, Some(settings)).await;
        }
        Ok(())
    }

    fn entry(&self) -> Entry<GuildSettings> {
        Entry::new(&SETTINGS, self.guild.as_str())
    }
}
