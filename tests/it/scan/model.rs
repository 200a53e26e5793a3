//! A channel's life at random: posts, edits, deletions and forwards, while scans of every
//! kind run, drainers die, and requests and replies are lost. Afterwards the routes must
//! list what the channels hold, no more and no less.
//!
//! `MODEL_SEED` runs one seed, `MODEL_SEEDS` that many.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use discord_local::guild::{ChannelSpec, MessageSpec};
use discord_local::{Action, Fault, Guild};
use fastrand::Rng;
use integration::TestApp;
use serde_json::{Value, json};
use shared::redis::commands::sorted_sets::{Range, SortedSets as _};
use shared::scan::{Probe, ProbeResult};
use upstash_local::{Fault as Loss, FaultAction};

use super::{CHANNEL, FIRST_MS, GUILD, message};
use crate::clips::all;

const OTHER: u64 = CHANNEL + 1;
const CHANNELS: [u64; 2] = [CHANNEL, OTHER];
const STEPS: usize = 30;

struct Life {
    app: TestApp,
    rng: Rng,
    /// Clips that a person removed.
    removed: BTreeSet<String>,
    /// By clip: how long its file is, once somebody has looked.
    probed: BTreeMap<String, u64>,
}

impl Life {
    async fn new(seed: u64) -> Life {
        let mut rng = Rng::with_seed(seed);
        let mut guild = Guild::empty(GUILD);
        for (n, channel) in CHANNELS.into_iter().enumerate() {
            guild.add_channel(ChannelSpec::text(channel, "clips"));
            let (size, every) = (rng.usize(0..330), rng.usize(1..9));
            guild.fill(channel, size, |i| {
                // The channels have no message in common.
                let at = FIRST_MS + i as i64 * 60_000 + n as i64 * 7;
                message(i, i % every == 0).at_ms(at)
            });
        }
        Life {
            app: TestApp::with_guild(guild).await,
            rng,
            removed: BTreeSet::new(),
            probed: BTreeMap::new(),
        }
    }

    fn channel(&mut self) -> u64 {
        CHANNELS[self.rng.usize(0..2)]
    }

    fn some_message(&mut self, channel: u64) -> Option<u64> {
        let ids = self.app.discord.guild().message_ids(channel);
        (!ids.is_empty()).then(|| ids[self.rng.usize(0..ids.len())])
    }

    /// Something happens in a channel.
    fn change(&mut self) {
        let channel = self.channel();
        let now = self.app.clock.now_ms();
        match self.rng.u8(0..10) {
            0..=3 => {
                for n in 0..self.rng.usize(1..20) {
                    let spec = message(n, self.rng.bool()).at_ms(now + n as i64);
                    self.app.discord.add_message(channel, spec);
                }
            }
            4 => {
                let from = self.channel();
                let Some(original) = self.some_message(from) else {
                    return;
                };
                let spec = self.app.discord.guild().forward(from, original);
                if let Some(spec) = spec {
                    self.app.discord.add_message(channel, spec.at_ms(now));
                }
            }
            5 => {
                let link = json!({ "type": "video", "url": format!("https://youtu.be/v{}", self.rng.u8(0..5)),
                    "title": "a goal", "video": { "url": "https://www.youtube.com/embed/v" } });
                let spec = MessageSpec::text("look").embed(link).at_ms(now);
                self.app.discord.add_message(channel, spec);
            }
            6 => {
                if let Some(id) = self.some_message(channel) {
                    self.app.discord.change_guild(|guild| {
                        guild.edit_message(channel, id, |message| {
                            message["attachments"] = json!([]);
                        })
                    });
                }
            }
            _ => {
                for _ in 0..self.rng.usize(1..12) {
                    if let Some(id) = self.some_message(channel) {
                        self.app.discord.delete_message(channel, id);
                    }
                }
            }
        }
    }

    /// Somebody wants something read.
    async fn request(&mut self) {
        let channel = self.channel();
        let ends = [self.some_message(channel), self.some_message(channel)];
        let mut body = json!({ "guildId": GUILD.to_string(), "channelId": channel.to_string() });
        let kind = ["scan", "scan", "batch", "rescan", "message"][self.rng.usize(0..5)];
        body["type"] = kind.into();
        match kind {
            "scan" => {
                body["scanMode"] = ["forward", "backfill"][self.rng.usize(0..2)].into();
                if self.rng.bool() {
                    body["options"] = json!({ "maxMessages": self.rng.u64(1..250) });
                }
            }
            "message" => {
                let ids: BTreeSet<u64> = ends.into_iter().flatten().collect();
                if ids.is_empty() {
                    return;
                }
                body["messageIds"] = ids.iter().map(u64::to_string).collect();
            }
            _ => {
                let [Some(a), Some(b)] = ends else {
                    return;
                };
                if a != b && self.rng.bool() {
                    body["beforeMessageId"] = a.max(b).to_string().into();
                    body["afterMessageId"] = a.min(b).to_string().into();
                } else if self.rng.bool() {
                    body["beforeMessageId"] = a.to_string().into();
                }
                if kind == "batch" {
                    body["limit"] = self.rng.u64(1..250).into();
                    body["direction"] = ["forward", "backward"][self.rng.usize(0..2)].into();
                }
            }
        }
        let reply = self.app.post("/api/jobs", &body).await;
        assert!(matches!(reply.status, 202 | 503), "{}", reply.json);
    }

    /// A drainer runs, perhaps on a bad day, while things happen.
    async fn drain(&mut self) {
        let actions = [FaultAction::DropBefore, FaultAction::DropAfterCommit];
        if self.rng.u8(0..3) == 0 {
            self.app.endpoint.faults().add(Loss {
                action: actions[self.rng.usize(0..2)],
                matching: None,
                skip: self.rng.u32(0..20),
                times: 1,
            });
        }
        if self.rng.u8(0..4) == 0 {
            let actions = [
                Action::Status(500),
                Action::TruncatedJson,
                Action::DropConnection,
                Action::BrokenMessage,
            ];
            let action = actions[self.rng.usize(0..4)].clone();
            let fault = Fault::once(action).on("/messages").skip(self.rng.u32(0..4));
            self.app.discord.faults().add(fault);
        }
        let drain = self.app.functions.drain.clone();
        let running = tokio::spawn(async move { drain.handle(json!({}), 0).await });
        for _ in 0..self.rng.usize(0..4) {
            for _ in 0..self.rng.usize(0..200) {
                tokio::task::yield_now().await;
            }
            self.change();
        }
        if self.rng.u8(0..4) == 0 {
            running.abort();
        }
        // Whoever waits in there waits for this clock.
        for n in 1.. {
            tokio::task::yield_now().await;
            if running.is_finished() {
                break;
            }
            if n % 2000 == 0 {
                self.app.advance(Duration::from_secs(1));
            }
        }
        self.app.advance(Duration::from_secs(self.rng.u64(1..90)));
    }

    /// A person removes a clip that the list shows.
    async fn remove(&mut self) {
        let page = self
            .app
            .get(&format!("/api/guilds/{GUILD}/clips?limit=50"))
            .await;
        let clips = page.json["clips"].as_array().cloned().unwrap_or_default();
        if clips.is_empty() {
            return;
        }
        let clip = &clips[self.rng.usize(0..clips.len())];
        let (id, message) = (text(clip, "id"), text(clip, "messageId"));
        if id.starts_with('e') {
            return;
        }
        let path = format!("/api/guilds/{GUILD}/clips/{id}?messageId={message}");
        let reply = self.app.delete(&path).await;
        if reply.status == 200 {
            self.removed.insert(id);
        }
    }

    /// Somebody looks into files.
    async fn probe(&mut self) {
        let (guild, store) = (GUILD.to_string(), self.app.store());
        let Ok(rows) = store.pending(&guild, 20).await else {
            return;
        };
        let mut results = Vec::new();
        for row in rows {
            if self.rng.bool() {
                let ms = Some(self.rng.u64(1000..100_000));
                let probe = Probe {
                    ms,
                    ..Probe::default()
                };
                results.push(ProbeResult { row, probe });
            }
        }
        if store.save_probes(&guild, None, &results).await.is_ok() {
            for result in results {
                let clip = result.row.rsplit(':').next().unwrap();
                // A clip whose row is gone meanwhile keeps nothing.
                self.probed
                    .insert(clip.to_owned(), result.probe.ms.unwrap());
            }
        }
    }

    /// Everything calms down, and both channels are read again from one end to the other.
    async fn settle(&mut self) {
        self.app.endpoint.faults().clear();
        self.app.discord.faults().clear();
        for _ in 0..2 {
            self.app.advance(Duration::from_secs(1000));
            self.app.drain().await;
            self.app.drain().await;
        }
        for channel in CHANNELS {
            let body = json!({ "type": "rescan", "guildId": GUILD.to_string(), "channelId": channel.to_string() });
            assert_eq!(self.app.post("/api/jobs", &body).await.status, 202);
            self.app.drain().await;
            self.app.advance(Duration::from_secs(100));
            self.app.drain().await;
        }
    }

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

    async fn check(&mut self, seed: u64) {
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

fn text(clip: &Value, name: &str) -> String {
    clip[name].as_str().unwrap_or_default().to_owned()
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

async fn live(seed: u64) {
    let mut life = Life::new(seed).await;
    life.app.leaves_any_jobs();
    for _ in 0..STEPS {
        match life.rng.u8(0..12) {
            0..=2 => life.change(),
            3..=6 => life.request().await,
            7..=9 => life.drain().await,
            10 => life.probe().await,
            _ => life.remove().await,
        }
    }
    life.settle().await;
    life.check(seed).await;
}

#[tokio::test]
async fn whatever_happens_to_a_channel_the_routes_list_what_it_holds() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().unwrap());
    match number("MODEL_SEED") {
        Some(seed) => live(seed).await,
        None => {
            for seed in 0..number("MODEL_SEEDS").unwrap_or(16) {
                live(seed).await;
            }
        }
    }
}
