//! The guild "Trawl Sample". It contains every way in which a message can hold a video,
//! the ways in which a channel can refuse to be read, and enough messages to need many
//! pages.
//!
//! All IDs are fixed. Those of channels correspond to full hours of 2024-03-01. The seed
//! changes the content of the messages, but neither their number nor their channels. The
//! same seed always gives the same guild.

mod content;
mod dice;
mod embeds;
mod mix;
mod oddities;
mod people;

use crate::guild::{Access, ChannelSpec, Guild, MessageSpec};
use dice::Dice;
use mix::{CLIPS, HIGHLIGHTS, Mix, TALK};

/// The seed of the default guild.
pub const DEFAULT_SEED: u64 = 1;

/// The guild.
pub const GUILD_ID: u64 = 1_212_912_186_163_200_000;
/// `#general`, text: 3,000 messages, few clips.
pub const GENERAL_ID: u64 = 1_212_927_285_657_600_000;
/// `#clips`, text: 1,500 messages, many clips, and the odd messages.
pub const CLIPS_ID: u64 = 1_212_942_385_152_000_000;
/// `#highlights`, announcement: 500 messages.
pub const HIGHLIGHTS_ID: u64 = 1_212_957_484_646_400_000;
/// `#guides`, forum: no messages of its own, two threads.
pub const FORUM_ID: u64 = 1_212_972_584_140_800_000;
/// `Lobby`, voice: 120 messages in its chat.
pub const VOICE_ID: u64 = 1_212_987_683_635_200_000;
/// `#staff`, text: the bot cannot see it.
pub const STAFF_ID: u64 = 1_213_002_783_129_600_000;
/// `#old-clips`, text: 40 messages, and the bot may not read the history.
pub const NO_HISTORY_ID: u64 = 1_213_017_882_624_000_000;
/// `#quiet`, text: no messages.
pub const EMPTY_ID: u64 = 1_213_032_982_118_400_000;
/// Active thread of the forum: 80 messages.
pub const FORUM_THREAD_ID: u64 = 1_213_048_081_612_800_000;
/// Archived thread of the forum: 60 messages.
pub const FORUM_ARCHIVED_THREAD_ID: u64 = 1_213_063_181_107_200_000;
/// Active thread of `#general`: 70 messages.
pub const GENERAL_THREAD_ID: u64 = 1_213_078_280_601_600_000;
/// Archived thread of `#clips`: 90 messages.
pub const CLIPS_ARCHIVED_THREAD_ID: u64 = 1_213_093_380_096_000_000;
/// Archived private thread of `#clips`, which the bot was added to: 30 messages.
pub const PRIVATE_THREAD_ID: u64 = 1_213_108_479_590_400_000;

/// 2025-01-01, the time of each channel's first message.
const BEGIN_MS: i64 = 1_735_689_600_000;
/// 2026-07-01, the time of each channel's last message.
const END_MS: i64 = 1_782_864_000_000;

/// The sample guild: more than 5,000 messages, the same for the same seed.
pub fn guild(seed: u64) -> Guild {
    let mut guild = Guild::empty(GUILD_ID);
    guild.name = "Trawl Sample".to_owned();
    for spec in channels() {
        guild.add_channel(spec);
    }
    let odd = oddities::all(&mut Dice::new(seed));
    write(&mut guild, GENERAL_ID, 3_000, TALK, seed, Vec::new());
    write(&mut guild, CLIPS_ID, 1_500, CLIPS, seed, odd);
    write(&mut guild, HIGHLIGHTS_ID, 500, HIGHLIGHTS, seed, Vec::new());
    for (channel_id, n_messages) in [
        (VOICE_ID, 120),
        (STAFF_ID, 60),
        (NO_HISTORY_ID, 40),
        (FORUM_THREAD_ID, 80),
        (FORUM_ARCHIVED_THREAD_ID, 60),
        (GENERAL_THREAD_ID, 70),
        (CLIPS_ARCHIVED_THREAD_ID, 90),
        (PRIVATE_THREAD_ID, 30),
    ] {
        write(&mut guild, channel_id, n_messages, CLIPS, seed, Vec::new());
    }
    guild
}

fn channels() -> Vec<ChannelSpec> {
    vec![
        ChannelSpec::text(GENERAL_ID, "general"),
        ChannelSpec::text(CLIPS_ID, "clips"),
        ChannelSpec::announcement(HIGHLIGHTS_ID, "highlights"),
        ChannelSpec::forum(FORUM_ID, "guides"),
        ChannelSpec::voice(VOICE_ID, "Lobby"),
        ChannelSpec::text(STAFF_ID, "staff").access(Access::Hidden),
        ChannelSpec::text(NO_HISTORY_ID, "old-clips").access(Access::NoHistory),
        ChannelSpec::text(EMPTY_ID, "quiet"),
        ChannelSpec::thread(FORUM_THREAD_ID, FORUM_ID, "Smokes on the new map"),
        ChannelSpec::thread(FORUM_ARCHIVED_THREAD_ID, FORUM_ID, "Settings")
            .archived_at_ms(END_MS + 86_400_000),
        ChannelSpec::thread(GENERAL_THREAD_ID, GENERAL_ID, "Tournament"),
        ChannelSpec::thread(CLIPS_ARCHIVED_THREAD_ID, CLIPS_ID, "Best of 2025")
            .archived_at_ms(END_MS + 2 * 86_400_000),
        ChannelSpec::private_thread(PRIVATE_THREAD_ID, CLIPS_ID, "Jury")
            .joined()
            .archived_at_ms(END_MS + 3 * 86_400_000),
    ]
}

/// Fills a channel evenly between both times and spreads the odd messages among the
/// others.
fn write(
    guild: &mut Guild,
    channel_id: u64,
    n_messages: usize,
    mix: Mix,
    seed: u64,
    odd: Vec<MessageSpec>,
) {
    let mut dice = Dice::new(seed ^ channel_id);
    let step_ms = (END_MS - BEGIN_MS) / n_messages as i64;
    let odd_every = n_messages / (odd.len() + 1);
    let mut odd = odd.into_iter();
    let mut last_clip = None;
    for index in 0..n_messages {
        let begin_ms = BEGIN_MS + step_ms * index as i64;
        let at_ms = begin_ms + dice.below(step_ms as u64) as i64;
        let kind = mix::draw(mix, &mut dice);
        let drawn = content::message(kind, guild, last_clip, &mut dice);
        let is_odd_turn = index % odd_every == odd_every - 1;
        let odd = if is_odd_turn { odd.next() } else { None };
        let is_odd = odd.is_some();
        let spec = odd.unwrap_or(drawn);
        let message_id = guild.add_message(channel_id, spec.at_ms(at_ms));
        if kind == mix::Kind::Video && !is_odd {
            last_clip = Some((channel_id, message_id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snowflake;

    #[test]
    fn ids_are_the_full_hours_of_one_day() {
        let first_ms = snowflake::ms_of(GUILD_ID);
        assert_eq!(first_ms, 1_709_251_200_000);
        let guild = guild(DEFAULT_SEED);
        for (hour, channel) in guild.channels().enumerate() {
            let at_ms = first_ms + 3_600_000 * (hour as i64 + 1);
            assert_eq!(channel.id, snowflake::at_ms(at_ms), "{}", channel.name);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_guild_and_another_another() {
        let clips = |seed| guild(seed).clips(CLIPS_ID);
        assert_eq!(clips(7), clips(7));
        assert_ne!(clips(7), clips(8));
    }

    #[test]
    fn there_are_more_than_five_thousand_messages_with_and_without_clips() {
        let guild = guild(DEFAULT_SEED);
        let total: usize = guild.channels().map(|c| guild.message_count(c.id)).sum();
        assert_eq!(total, 5_550);
        assert_eq!(guild.message_count(GENERAL_ID), 3_000);
        assert!((20..200).contains(&guild.clip_message_ids(GENERAL_ID).len()));
        assert!((600..1_200).contains(&guild.clip_message_ids(CLIPS_ID).len()));
        assert!(guild.external_clip_count(CLIPS_ID) > 30);
        assert_eq!(guild.message_count(FORUM_ID), 0);
        assert_eq!(guild.message_count(EMPTY_ID), 0);
    }

    #[test]
    fn of_the_odd_messages_nine_hold_a_clip_and_one_shows_another() {
        let odd = oddities::all(&mut Dice::new(1));
        let mut guild = Guild::empty(1).channel(ChannelSpec::text(2, "odd"));
        let ids: Vec<u64> = odd
            .into_iter()
            .map(|spec| guild.add_message(2, spec))
            .collect();
        assert_eq!(guild.clip_message_ids(2), ids[..9]);
        assert_eq!(guild.external_clip_message_ids(2), ids[9..10]);
    }

    #[test]
    fn every_kind_holds_a_clip_or_not_as_it_says() {
        let mut dice = Dice::new(3);
        for (kind, _) in TALK.iter().chain(CLIPS).chain(HIGHLIGHTS) {
            let mut guild = Guild::empty(1)
                .channel(ChannelSpec::text(2, "a"))
                .channel(ChannelSpec::text(3, "b"));
            let original = guild.add_message(2, MessageSpec::video("a.mp4"));
            let spec = content::message(*kind, &guild, Some((2, original)), &mut dice);
            guild.add_message(3, spec);
            let holds_clip = !guild.clips(3).is_empty();
            assert_eq!(
                holds_clip,
                (*kind as u8) < (mix::Kind::Text as u8),
                "{kind:?}"
            );
        }
    }
}
