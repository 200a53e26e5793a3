//! Checks that Discord shows the bot everything.
//!
//! Without a permission, Discord sends empty pages and empty messages instead of an
//! error. A scan that believed them would mark the channel as read and remove its clips.

use shared::discord::{Channel, ChannelType, Content, Error, Message, MessageId, Page, Position};
use shared::queue::JobError;
use shared::scan::{GuildSettings, IncludeThreads};

use super::stop::{StopReason, checked};
use crate::Clients;

/// Returns the channel of a job if it is in the guild and the guild's settings do not exclude
/// it.
pub async fn channel(
    clients: &Clients,
    settings: &GuildSettings,
    guild_id: &str,
    channel_id: &str,
) -> Result<Channel, StopReason> {
    let unwanted = |what: &str| {
        let reason = format!("the guild's settings exclude {what}");
        Err(StopReason::Unwanted(JobError::reason(
            "channel_excluded",
            &reason,
        )))
    };
    if settings.leaves_out(channel_id) {
        return unwanted("this channel");
    }
    let channel = checked(clients, clients.discord.channel(channel_id).await).await?;
    if channel.is_thread() {
        let parent = channel.parent_id.as_deref();
        if settings.include_threads == IncludeThreads::None {
            return unwanted("threads");
        } else if parent.is_some_and(|parent| settings.leaves_out(parent)) {
            return unwanted("the parent channel of this thread");
        }
    }
    if channel.guild_id.as_deref() != Some(guild_id) {
        return Err(StopReason::fail(
            "channel_elsewhere",
            "the channel does not belong to this guild",
        ));
    }
    Ok(channel)
}

/// The same of a channel that contains messages.
pub async fn readable(
    clients: &Clients,
    settings: &GuildSettings,
    guild_id: &str,
    channel_id: &str,
) -> Result<Channel, StopReason> {
    let found = channel(clients, settings, guild_id, channel_id).await?;
    has_messages(&found)?;
    Ok(found)
}

/// Checks that a channel contains messages.
pub fn has_messages(channel: &Channel) -> Result<(), StopReason> {
    let fail = |code, message| Err(StopReason::fail(code, message));
    match channel.kind() {
        ChannelType::Messages => Ok(()),
        ChannelType::ThreadsOnly => fail(
            "channel_unsupported",
            "a forum has no messages of its own: scan its threads instead",
        ),
        ChannelType::Category => fail("channel_unsupported", "a category has no messages"),
    }
}

/// Without the MESSAGE_CONTENT intent, all messages are empty except the bot's own and
/// those that mention it. This asks Discord once per run, if a message of a page is empty
/// and no other message proves that the bot has the intent.
pub async fn content(
    clients: &Clients,
    page: &Page,
    is_checked: &mut bool,
) -> Result<(), StopReason> {
    let contents = || page.messages.iter().map(Message::content);
    if *is_checked
        || contents().all(|content| content != Content::Hidden)
        || contents().any(|content| content == Content::Shown)
    {
        return Ok(());
    }
    let may = checked(clients, clients.discord.may_read_content().await).await?;
    *is_checked = true;
    if may {
        return Ok(());
    }
    Err(StopReason::fail(
        "message_content_missing",
        "the bot cannot read message content: enable the MESSAGE_CONTENT intent in its settings",
    ))
}

/// Without the READ_MESSAGE_HISTORY permission, every page is empty. Called when a page
/// is empty, at any position where the channel has messages.
pub async fn history(
    clients: &Clients,
    channel_id: &str,
    newest: Option<MessageId>,
    position: Position,
) -> Result<(), StopReason> {
    let Some(newest) = newest.filter(|newest| match position {
        Position::Newest => true,
        Position::After(after) => *newest > after,
        Position::Before(_) => true,
    }) else {
        return Ok(());
    };
    match clients.discord.message(channel_id, newest).await {
        // The message was deleted, and the page is the end.
        Err(Error::NotFound { .. }) => Ok(()),
        // Nothing is older than the oldest message read.
        Ok(_) if matches!(position, Position::Before(_)) => Ok(()),
        Ok(_) | Err(Error::Forbidden { .. }) => Err(StopReason::fail(
            "history_forbidden",
            "the bot cannot read this channel's history: grant it the READ_MESSAGE_HISTORY permission there",
        )),
        other => checked(clients, other).await.map(|_| ()),
    }
}
