//! A guild's channels and active threads, as Discord lists them for the bot.

use std::collections::BTreeMap;

use futures_util::future::try_join4;
use serde::{Deserialize, Serialize};

use super::{Unreadable, reading};
use crate::discord::{Channel, Discord, Error, MessageId, Permissions, Standing};

/// What a channel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChannelKind {
    /// A text channel.
    Text,
    /// An announcement channel.
    Announcement,
    /// A voice channel, which has a text chat.
    Voice,
    /// A stage channel, which has a text chat.
    Stage,
    /// A forum: it has threads and no messages of its own.
    Forum,
    /// A media channel: a forum of images and videos.
    Media,
    /// A thread of another channel.
    Thread,
    /// A group of channels.
    Category,
    /// Anything else.
    Other,
}

impl ChannelKind {
    /// Of a type as Discord numbers them.
    pub fn of(number: Option<u64>) -> ChannelKind {
        match number {
            Some(0) => ChannelKind::Text,
            Some(2) => ChannelKind::Voice,
            Some(4) => ChannelKind::Category,
            Some(5) => ChannelKind::Announcement,
            Some(10..=12) => ChannelKind::Thread,
            Some(13) => ChannelKind::Stage,
            Some(15) => ChannelKind::Forum,
            Some(16) => ChannelKind::Media,
            _ => ChannelKind::Other,
        }
    }

    /// Whether it has messages of its own.
    pub fn has_messages(self) -> bool {
        use ChannelKind::{Announcement, Stage, Text, Thread, Voice};
        matches!(self, Text | Announcement | Voice | Stage | Thread)
    }

    /// Whether it may have threads.
    pub fn has_threads(self) -> bool {
        use ChannelKind::{Announcement, Forum, Media, Text};
        matches!(self, Text | Announcement | Forum | Media)
    }
}

/// A channel or thread, as the bot sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeenChannel {
    pub id: MessageId,
    /// Its type, as Discord numbers them.
    #[serde(rename = "type")]
    pub number: Option<u64>,
    pub name: Option<String>,
    /// For a thread, its channel; for a channel, its category.
    pub parent_id: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub archived: bool,
    pub last_message_id: Option<MessageId>,
    /// Why the bot may not read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<Unreadable>,
    /// Whether the bot may list the private threads in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub manages_threads: bool,
}

impl SeenChannel {
    fn of(channel: Channel, permissions: Permissions, is_joined: bool) -> SeenChannel {
        SeenChannel {
            id: channel.id,
            number: channel.type_number(),
            archived: channel.is_archived(),
            unreadable: reading(&channel, permissions, is_joined).err(),
            manages_threads: permissions.has(Permissions::MANAGE_THREADS),
            last_message_id: channel.last_message_id,
            name: channel.name,
            parent_id: channel.parent_id,
        }
    }

    /// What it is.
    pub fn kind(&self) -> ChannelKind {
        ChannelKind::of(self.number)
    }
}

/// A thread of `parent`, from a list that shows the bot only what it may see.
pub fn seen_thread(parent: &SeenChannel, thread: Channel) -> SeenChannel {
    SeenChannel {
        unreadable: parent.unreadable,
        ..SeenChannel::of(thread, Permissions(u64::MAX), true)
    }
}

/// A guild, as the bot sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuildView {
    /// Its channels, also those that the bot cannot see, in Discord's order; then its active
    /// threads, by channel.
    pub channels: Vec<SeenChannel>,
}

impl GuildView {
    /// Asks Discord, in five requests.
    ///
    /// # Errors
    /// See [`Error`]. A guild that the bot is not in is [`Error::NotFound`] or
    /// [`Error::Forbidden`].
    pub async fn load(discord: &Discord, guild_id: &str) -> Result<GuildView, Error> {
        let me = discord.me().await?;
        let (guild, member, channels, active) = try_join4(
            discord.guild(guild_id),
            or_none(discord.member(guild_id, me)),
            discord.guild_channels(guild_id),
            or_none(discord.active_threads(guild_id)),
        )
        .await?;
        let roles = guild.roles.unwrap_or_default();
        let standing = Standing::new(guild.id, guild.owner_id, &roles, me, &member);
        let mut channels = channels;
        channels.sort_by_key(|channel| (channel.position.unwrap_or(i64::MAX), channel.id));
        let permissions: BTreeMap<MessageId, Permissions> = channels
            .iter()
            .map(|channel| {
                let overwrites = channel.permission_overwrites.as_deref();
                (channel.id, standing.within(overwrites.unwrap_or_default()))
            })
            .collect();
        let mut seen: Vec<SeenChannel> = channels
            .into_iter()
            .map(|channel| {
                let may = permissions.get(&channel.id).copied().unwrap_or_default();
                SeenChannel::of(channel, may, false)
            })
            .collect();
        let mut threads = active.threads;
        threads.sort_by_key(|thread| (parent_of(thread), thread.id));
        seen.extend(threads.into_iter().map(|thread| {
            let parent = parent_of(&thread).and_then(|id| permissions.get(&id));
            let may = parent.copied().unwrap_or_default();
            let is_joined = active.joined.contains(&thread.id);
            SeenChannel::of(thread, may, is_joined)
        }));
        Ok(GuildView { channels: seen })
    }
}

/// Some compatible servers have no such list. Whether there is such a guild, the request
/// for the guild itself says.
async fn or_none<T: Default>(answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match answer.await {
        Err(Error::NotFound { .. }) => Ok(T::default()),
        other => other,
    }
}

fn parent_of(thread: &Channel) -> Option<MessageId> {
    MessageId::parse(thread.parent_id.as_deref()?)
}
