//! A channel's life at random: posts, edits, deletions and forwards, while scans of every
//! kind run, drainers die, and requests and replies are lost. Afterwards the routes must
//! list what the channels hold, no more and no less.
//!
//! `MODEL_SEED` runs one seed, `MODEL_SEEDS` that many.

mod check;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use discord_local::guild::{ChannelSpec, MessageSpec};
use discord_local::{Action, Fault, Guild};
use fastrand::Rng;
use integration::TestApp;
use serde_json::{Value, json};
use shared::scan::{Probe, ProbeResult};
use upstash_local::{Fault as Loss, FaultAction};

use super::{CHANNEL, FIRST_MS, GUILD, message};

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
}

fn text(clip: &Value, name: &str) -> String {
    clip[name].as_str().unwrap_or_default().to_owned()
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
