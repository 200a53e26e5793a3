//! What must be listed, and whether it is.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use shared::redis::commands::sorted_sets::{Range, SortedSets as _};

use super::{CHANNELS, Life, text};
use crate::clips::all;
use crate::scan::GUILD;

impl Life {
    /// The rows that must be listed: each clip where it was posted, or else where it was
    /// forwarded first.
    fn expected(&self) -> BTreeSet<(u64, u64, String)> {
        let guild = self.app.discord.guild();
        let mut rows = BTreeSet::new();
        let mut forwards: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for channel in CHANNELS {
            for id in guild.message_ids(channel) {
                let message = guild.message_json(channel, id).unwrap();
                for clip in attachments(message) {
                    rows.insert((channel, id, clip));
                }
                for embed in message["embeds"].as_array().into_iter().flatten() {
                    let video = embed["url"].as_str().unwrap().rsplit('/').next().unwrap();
                    rows.insert((channel, id, format!("link {video}")));
                }
                for snapshot in message["message_snapshots"]
                    .as_array()
                    .into_iter()
                    .flatten()
                {
                    for clip in attachments(&snapshot["message"]) {
                        let first = forwards.entry(clip).or_insert((id, channel));
                        *first = (*first).min((id, channel));
                    }
                }
            }
        }
        let originals: BTreeSet<String> = rows.iter().map(|(_, _, clip)| clip.clone()).collect();
        for (clip, (id, channel)) in forwards {
            if !originals.contains(&clip) {
                rows.insert((channel, id, clip));
            }
        }
        rows.retain(|(_, _, clip)| !self.removed.contains(clip));
        rows
    }

    pub async fn check(&mut self, seed: u64) {
        let expected = self.expected();
        let limit = self.rng.u64(1..100).max(5);
        let clips = all(&self.app, GUILD, &format!("limit={limit}")).await;
        let mut listed: Vec<(u64, u64, String)> = clips.iter().map(row).collect();
        let times: Vec<i64> = clips
            .iter()
            .map(|clip| clip["postedAt"].as_i64().unwrap())
            .collect();
        assert!(
            times.is_sorted_by(|a, b| a >= b),
            "seed {seed}: newest first"
        );
        listed.sort();
        let known: BTreeSet<_> = listed.iter().cloned().collect();
        assert_eq!(
            known.len(),
            listed.len(),
            "seed {seed}: a row is listed twice"
        );
        assert_eq!(
            links_removed(known),
            links_removed(expected.clone()),
            "seed {seed}"
        );
        for channel in CHANNELS {
            let query = format!("channelId={channel}&limit={limit}");
            let of_channel = all(&self.app, GUILD, &query).await;
            let rows: BTreeSet<_> = of_channel.iter().map(row).collect();
            let wanted = listed
                .iter()
                .filter(|row| row.0 == channel)
                .cloned()
                .collect();
            assert_eq!(rows, wanted, "seed {seed}: channel {channel}");
            let messages: BTreeSet<u64> = rows.iter().map(|row| row.1).collect();
            let path = format!("/api/guilds/{GUILD}/channels/{channel}/scan-status");
            let status = self.app.get(&path).await.json;
            assert_eq!(
                status["messageCount"],
                messages.len(),
                "seed {seed}: {status}"
            );
            let job = &status["status"];
            assert_eq!(job, "SUCCEEDED", "seed {seed}: {status}");
        }
        for clip in &clips {
            let probed = self.probed.get(&text(clip, "id"));
            if let Some(ms) = clip["durationProbed"].as_f64() {
                assert_eq!(
                    probed.map(|ms| *ms as f64 / 1000.0),
                    Some(ms),
                    "seed {seed}: {clip}"
                );
            }
        }
        self.check_index(seed).await;
    }

    /// The set that clips are found by holds each term of each listed row, and no more.
    async fn check_index(&self, seed: u64) {
        let (guild, store) = (GUILD.to_string(), self.app.store());
        let every = |min: &str, max: &str| Range::Lex {
            min: min.to_owned(),
            max: max.to_owned(),
            limit: 1_000_000,
        };
        let key = store.keys().by_channel(&guild);
        let rows = self
            .app
            .redis
            .zrange(&key, every("[0", "(:"))
            .await
            .unwrap();
        let mut wanted = BTreeSet::new();
        for (row, record) in rows.iter().zip(store.records(&rows).await.unwrap()) {
            let record = record.unwrap_or_else(|| panic!("seed {seed}: no record of {row}"));
            let mut parts = row.splitn(3, ':');
            let mut part = || parts.next().unwrap();
            let (channel, message, clip) = (part(), part(), part());
            let terms = record.clip.terms();
            wanted.extend(
                terms
                    .iter()
                    .map(|term| format!("{term}:{message}:{channel}:{clip}")),
            );
        }
        let key = store.keys().index(&guild);
        let stored = self.app.redis.zrange(&key, every("-", "+")).await.unwrap();
        let stored: BTreeSet<String> = stored.into_iter().collect();
        let of = |from: &BTreeSet<String>, other: &BTreeSet<String>| -> Vec<String> {
            from.difference(other).take(5).cloned().collect()
        };
        let difference = (of(&stored, &wanted), of(&wanted, &stored));
        assert_eq!(
            difference,
            (vec![], vec![]),
            "seed {seed}: too many, and missing"
        );
    }
}

fn attachments(message: &Value) -> Vec<String> {
    let list = message["attachments"].as_array().into_iter().flatten();
    list.map(|file| text(file, "id")).collect()
}

fn row(clip: &Value) -> (u64, u64, String) {
    let number = |name| text(clip, name).parse().unwrap();
    let id = match clip["url"]
        .as_str()
        .and_then(|url| url.strip_prefix("https://youtu.be/"))
    {
        Some(video) => format!("link {video}"),
        None => text(clip, "id"),
    };
    (number("channelId"), number("messageId"), id)
}

/// A forwarded link is one row with those of its forwards, which the model leaves out.
fn links_removed(rows: BTreeSet<(u64, u64, String)>) -> Vec<(u64, u64, String)> {
    rows.into_iter()
        .filter(|row| !row.2.starts_with("link"))
        .collect()
}
