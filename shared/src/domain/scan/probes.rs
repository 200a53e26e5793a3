//! The clips whose files nobody has looked into, and what was found inside the others.

use super::scripts::{self, ProbeRequest};
use super::{ClipRecord, Probe, ScanStore, removal};
use crate::json::to_json;
use crate::redis::Error;
use crate::redis::commands::sorted_sets::{Range, SortedSets as _};

/// Maximum number of results that one call saves.
pub const PROBES_AT_ONCE: usize = 100;

/// What was found inside the file of a clip.
#[derive(Clone, Debug)]
pub struct ProbeResult {
    /// The row of the clip.
    pub row: String,
    /// What was found.
    pub probe: Probe,
}

/// What became of results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SavedProbes {
    /// How many were stored with their clip.
    pub stored: u64,
    /// How many clips turned out to be too short, and are no longer listed.
    pub too_short: u64,
}

impl ScanStore {
    /// The rows of a guild whose files nobody has looked into, oldest message first, and at
    /// most `limit`. One command.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn pending(&self, guild_id: &str, limit: u64) -> Result<Vec<String>, Error> {
        let range = Range::Lex {
            min: "[q:".to_owned(),
            max: "(q;".to_owned(),
            limit,
        };
        let key = self.keys().index(guild_id);
        let entries = self.redis().zrange(&key, range).await?;
        Ok(entries
            .iter()
            .filter_map(|entry| removal::row_of(entry))
            .collect())
    }

    /// Stores what was found inside the files of at most [`PROBES_AT_ONCE`] clips, with one
    /// script. A clip that turned out to be shorter than its scan wanted, or than
    /// `min_seconds` if that named no length, is no longer listed.
    ///
    /// # Errors
    /// If Redis cannot be reached. Saving the same results again changes nothing.
    pub async fn save_probes(
        &self,
        guild_id: &str,
        min_seconds: Option<f64>,
        results: &[ProbeResult],
    ) -> Result<SavedProbes, Error> {
        if results.is_empty() {
            return Ok(SavedProbes::default());
        }
        let mut keys = self.keys().of_clips(guild_id);
        keys.extend(results.iter().map(|result| self.keys().record(&result.row)));
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let request = ProbeRequest {
            members: results.iter().map(|result| result.row.as_str()).collect(),
            min: min_seconds.map_or(0, |seconds| (seconds * 1000.0).round() as u64),
        };
        let found = results
            .iter()
            .map(|result| to_json(&result.probe))
            .collect();
        let (stored, too_short) = scripts::probe(self.redis(), &keys, &request, found).await?;
        Ok(SavedProbes { stored, too_short })
    }

    /// The records of these rows, in their order: `None` for a row that has none. One
    /// command, however many they are.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn records(&self, rows: &[String]) -> Result<Vec<Option<ClipRecord>>, Error> {
        let mut found = self.clips_of(rows.iter().map(String::as_str)).await?;
        Ok(rows.iter().map(|row| found.remove(row)).collect())
    }
}
