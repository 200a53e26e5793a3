//! Scans of channels, from the route to the stored clip.

mod content;
mod crash;
mod events;
mod extent;
mod faults;
mod fence;
mod forward;
mod messages;
mod model;
mod outage;
mod pauses;
mod refusals;
mod rescan;
mod settings;
mod stop;

use discord_local::Guild;
use discord_local::guild::{AttachmentSpec, ChannelSpec, MessageSpec};

pub const GUILD: u64 = 1_200_000_000_000_000_000;
pub const CHANNEL: u64 = 1_200_000_000_000_000_001;
/// The time of the first message in small guilds: 2026-01-01.
pub const FIRST_MS: i64 = 1_767_225_600_000;

/// A guild with one channel of `n` messages, a minute apart. Every `every`-th message
/// contains a video.
pub fn guild_with(n: usize, every: usize) -> Guild {
    let mut guild = Guild::empty(GUILD).channel(ChannelSpec::text(CHANNEL, "clips"));
    guild.fill(CHANNEL, n, |i| message(i, i % every == 0));
    guild
}

pub fn message(i: usize, video: bool) -> MessageSpec {
    let spec = MessageSpec::text(&format!("message {i}")).at_ms(FIRST_MS + i as i64 * 60_000);
    if video {
        spec.attachment(AttachmentSpec::video(&format!("clip_{i}.mp4")))
    } else {
        spec
    }
}

/// The IDs of all clips that a channel really contains, sorted.
pub fn true_clip_ids(guild: &Guild, channel: u64) -> Vec<String> {
    let mut ids: Vec<String> = guild
        .clips(channel)
        .iter()
        .map(|clip| clip.attachment_id.to_string())
        .collect();
    ids.sort();
    ids.dedup();
    ids
}
