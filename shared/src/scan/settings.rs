//! The settings of a guild.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::ScanStore;
use crate::redis::commands::hashes::{Hashes as _, hset};
use crate::redis::{Error, Pipeline, Slot};

/// What scans of a guild go by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct GuildSettings {
    /// Clips declared shorter are left out; none keeps all.
    pub min_video_seconds: Option<f64>,
    pub include_threads: bool,
    pub excluded_channel_ids: Vec<String>,
    /// 1 first, 10 last.
    pub priority: u8,
}

impl Default for GuildSettings {
    fn default() -> GuildSettings {
        GuildSettings {
            min_video_seconds: None,
            include_threads: true,
            excluded_channel_ids: Vec::new(),
            priority: 5,
        }
    }
}

impl ScanStore {
    /// The settings of a guild. A field that was never set, or cannot be read, has its
    /// default.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn settings(&self, guild_id: &str) -> Result<GuildSettings, Error> {
        let stored = self
            .redis()
            .hgetall(&self.keys().settings(guild_id))
            .await?;
        let default = GuildSettings::default();
        Ok(GuildSettings {
            min_video_seconds: read(&stored, "minVideoSeconds")
                .unwrap_or(default.min_video_seconds),
            include_threads: read(&stored, "includeThreads").unwrap_or(default.include_threads),
            excluded_channel_ids: read(&stored, "excludedChannelIds")
                .unwrap_or(default.excluded_channel_ids),
            priority: read(&stored, "priority").unwrap_or(default.priority),
        })
    }

    /// Adds the storing of a guild's settings to a pipeline.
    pub fn add_settings(
        &self,
        pipeline: &mut Pipeline,
        guild_id: &str,
        settings: &GuildSettings,
    ) -> Slot<u64> {
        // Text and numbers only: this cannot fail.
        let json = serde_json::to_value(settings).unwrap_or_default();
        let fields: Vec<(String, String)> = json
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value.to_string()))
            .collect();
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        pipeline.add(hset(&self.keys().settings(guild_id), &fields))
    }
}

fn read<T: DeserializeOwned>(stored: &BTreeMap<String, String>, name: &str) -> Option<T> {
    serde_json::from_str(stored.get(name)?).ok()
}
