//! Settings in the form in which callers send them.

use serde::{Deserialize, Deserializer};
use shared::http::{ApiError, Bounded, FieldCode, FieldError, Seconds, Snowflake};
use shared::scan::{GuildSettings, IncludeThreads};

/// Maximum number of excluded channels. Discord allows 500 channels per guild.
const MOST_EXCLUDED: usize = 500;

/// All settings of a guild. One that is left out, or `null`, gets its default.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "GuildSettingsInput")]
pub(crate) struct SettingsInput {
    /// Leaves out clips that are declared to be shorter. By default all are kept.
    min_video_seconds: Option<Seconds>,
    /// Which threads are scanned with a guild that is scanned without saying which. With
    /// `none`, threads are never scanned. Defaults to `all`.
    include_threads: Option<IncludeThreads>,
    /// The ids of channels that are not scanned, at most 500. By default there are none.
    excluded_channel_ids: Option<Vec<Snowflake>>,
    /// Whether the beginning of a message's text is stored with its clips. Defaults to
    /// `true`.
    store_text: Option<bool>,
    /// The priority of scans that do not name one: 1 first, 10 last. Defaults to 5.
    priority: Option<Bounded<1, 10>>,
}

impl SettingsInput {
    /// # Errors
    /// 400 that names the field.
    pub fn into_settings(self) -> Result<GuildSettings, ApiError> {
        check_excluded(self.excluded_channel_ids.as_deref())?;
        let changes = SettingsPatch {
            min_video_seconds: Some(self.min_video_seconds),
            include_threads: Some(self.include_threads),
            excluded_channel_ids: Some(self.excluded_channel_ids),
            store_text: Some(self.store_text),
            priority: Some(self.priority),
        };
        Ok(changes.apply(GuildSettings::default()))
    }
}

/// The settings to change. One that is left out stays; one that is `null` gets its default.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "GuildSettingsPatch")]
pub(crate) struct SettingsPatch {
    /// Leaves out clips that are declared to be shorter.
    #[serde(default, deserialize_with = "sent")]
    #[schemars(with = "Option<Seconds>")]
    min_video_seconds: Option<Option<Seconds>>,
    /// Which threads are scanned with a guild that is scanned without saying which. With
    /// `none`, threads are never scanned.
    #[serde(default, deserialize_with = "sent")]
    #[schemars(with = "Option<IncludeThreads>")]
    include_threads: Option<Option<IncludeThreads>>,
    /// The ids of channels that are not scanned, at most 500.
    #[serde(default, deserialize_with = "sent")]
    #[schemars(with = "Option<Vec<Snowflake>>")]
    excluded_channel_ids: Option<Option<Vec<Snowflake>>>,
    /// Whether the beginning of a message's text is stored with its clips.
    #[serde(default, deserialize_with = "sent")]
    #[schemars(with = "Option<bool>")]
    store_text: Option<Option<bool>>,
    /// The priority of scans that do not name one: 1 first, 10 last.
    #[serde(default, deserialize_with = "sent")]
    #[schemars(with = "Option<Bounded<1, 10>>")]
    priority: Option<Option<Bounded<1, 10>>>,
}

impl SettingsPatch {
    /// # Errors
    /// 400 that names the field.
    pub fn check(&self) -> Result<(), ApiError> {
        check_excluded(
            self.excluded_channel_ids
                .as_ref()
                .and_then(Option::as_deref),
        )
    }

    pub fn apply(&self, mut settings: GuildSettings) -> GuildSettings {
        let default = GuildSettings::default();
        if let Some(seconds) = self.min_video_seconds {
            settings.min_video_seconds = seconds.map(Seconds::get);
        }
        if let Some(include) = self.include_threads {
            settings.include_threads = include.unwrap_or(default.include_threads);
        }
        if let Some(excluded) = &self.excluded_channel_ids {
            let excluded = excluded.iter().flatten().cloned();
            settings.excluded_channel_ids = excluded.map(String::from).collect();
        }
        if let Some(store) = self.store_text {
            settings.store_text = store.unwrap_or(default.store_text);
        }
        if let Some(priority) = self.priority {
            settings.priority = priority.map_or(default.priority, |p| p.get() as u8);
        }
        settings
    }
}

fn check_excluded(excluded: Option<&[Snowflake]>) -> Result<(), ApiError> {
    if excluded.is_some_and(|excluded| excluded.len() > MOST_EXCLUDED) {
        let detail = format!("expected an array of at most {MOST_EXCLUDED} ids");
        let code = FieldCode::OutOfRange;
        return Err(FieldError::field("excludedChannelIds", code, detail).into());
    }
    Ok(())
}

/// Distinguishes a field that is `null` from a missing one.
fn sent<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}
