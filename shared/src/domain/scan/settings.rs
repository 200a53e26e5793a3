//! The settings of a guild.
//!
//! They are one string, so that a scan reads them in the same command as the circuit
//! breaker, at no extra cost.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{IncludeThreads, ScanStore};
use crate::json::to_json;
use crate::redis::commands::strings::{SetOptions, mget, set};
use crate::redis::{Error, Pipeline, Slot};

/// The settings of a guild. They apply to scans whose job does not say otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct GuildSettings {
    /// Clips that are declared to be shorter are left out. `null` keeps all of them.
    pub min_video_seconds: Option<f64>,
    /// Which threads are scanned with a guild that is scanned without saying which. With
    /// `none`, threads are never scanned.
    pub include_threads: IncludeThreads,
    /// The ids of channels that are not scanned, and neither are the threads in them.
    pub excluded_channel_ids: Vec<String>,
    /// Whether the beginning of a message's text is stored with its clips.
    pub store_text: bool,
    /// The priority of scans that do not name one: 1 first, 10 last.
    pub priority: u8,
}

impl Default for GuildSettings {
    fn default() -> GuildSettings {
        GuildSettings {
            min_video_seconds: None,
            include_threads: IncludeThreads::All,
            excluded_channel_ids: Vec::new(),
            store_text: true,
            priority: 5,
        }
    }
}

impl GuildSettings {
    /// Parses stored settings. A field that was never set or cannot be parsed has its
    /// default.
    pub fn parse(text: Option<&str>) -> GuildSettings {
        let stored: Option<Map<String, Value>> =
            text.and_then(|text| serde_json::from_str(text).ok());
        let stored = stored.unwrap_or_default();
        let default = GuildSettings::default();
        GuildSettings {
            min_video_seconds: read(&stored, "minVideoSeconds")
                .unwrap_or(default.min_video_seconds),
            include_threads: read(&stored, "includeThreads").unwrap_or(default.include_threads),
            excluded_channel_ids: read(&stored, "excludedChannelIds")
                .unwrap_or(default.excluded_channel_ids),
            store_text: read(&stored, "storeText").unwrap_or(default.store_text),
            priority: read(&stored, "priority").unwrap_or(default.priority),
        }
    }

    /// The settings as they are stored and shown, always in the same order.
    pub fn to_text(&self) -> String {
        to_json(self)
    }

    /// Whether this channel is excluded.
    pub fn leaves_out(&self, channel_id: &str) -> bool {
        self.excluded_channel_ids.iter().any(|id| id == channel_id)
    }
}

impl ScanStore {
    /// Reads the settings of a guild.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn settings(&self, guild_id: &str) -> Result<GuildSettings, Error> {
        let found = self.stored_settings(guild_id).await?;
        Ok(GuildSettings::parse(found.as_deref()))
    }

    /// Reads the settings as text, for [`GuildSettings::parse`]. `None` if they were
    /// never set.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn stored_settings(&self, guild_id: &str) -> Result<Option<String>, Error> {
        let mut pipeline = Pipeline::new();
        let slot = self.add_read_settings(&mut pipeline, [guild_id]);
        let mut found = pipeline.send(&**self.redis()).await?.take(slot)?;
        Ok(found.pop().flatten())
    }

    /// Adds a command that replaces the settings, provided that they are still `before`.
    /// It must not be sent twice.
    pub fn add_replacement(
        &self,
        pipeline: &mut Pipeline,
        guild_id: &str,
        before: Option<&str>,
        settings: &GuildSettings,
    ) -> Slot<bool> {
        // Compares the text, because settings are always written in the same order.
        let only_if = match before {
            Some(before) => SetOptions::new().if_equal(before),
            None => SetOptions::new().if_missing(),
        };
        let key = self.keys().settings(guild_id);
        pipeline.add(set(&key, &settings.to_text(), only_if))
    }

    /// Adds a command that reads the settings of several guilds. Its result is for
    /// [`GuildSettings::parse`].
    pub fn add_read_settings<'a>(
        &self,
        pipeline: &mut Pipeline,
        guild_ids: impl IntoIterator<Item = &'a str>,
    ) -> Slot<Vec<Option<String>>> {
        let guilds = guild_ids.into_iter();
        let keys: Vec<String> = guilds.map(|guild| self.keys().settings(guild)).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        pipeline.add(mget(&keys))
    }

    /// Adds a command that stores a guild's settings.
    pub fn add_settings(
        &self,
        pipeline: &mut Pipeline,
        guild_id: &str,
        settings: &GuildSettings,
    ) -> Slot<bool> {
        let key = self.keys().settings(guild_id);
        pipeline.add(set(&key, &settings.to_text(), SetOptions::new()))
    }
}

fn read<T: DeserializeOwned>(stored: &Map<String, Value>, name: &str) -> Option<T> {
    serde_json::from_value(stored.get(name)?.clone()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_be_read_are_the_default_field_by_field() {
        for text in [None, Some(""), Some("[]"), Some("{nonsense"), Some("{}")] {
            assert_eq!(GuildSettings::parse(text), GuildSettings::default());
        }
        let odd = r#"{"minVideoSeconds": 7.5, "priority": "first", "excludedChannelIds": ["5"]}"#;
        let settings = GuildSettings::parse(Some(odd));
        assert_eq!(
            (settings.min_video_seconds, settings.priority),
            (Some(7.5), 5)
        );
        assert!(settings.leaves_out("5") && !settings.leaves_out("6"));
        let text = serde_json::to_string(&settings).unwrap();
        assert_eq!(GuildSettings::parse(Some(&text)), settings);
    }
}
