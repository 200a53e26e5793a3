//! Whether what Discord shows is all there is.
//!
//! A bot without a permission is shown empty pages and empty messages, not an error. Taken
//! for what there is, they would mark a channel as read and remove its clips.

use shared::discord::{Channel, ChannelType, Content, Error, Message, MessageId, Page, Position};
use shared::scan::GuildSettings;

use super::stop::{StopReason, checked};
use crate::Clients;

/// The channel a job means, if it holds messages and the guild's settings do not leave
/// it out.
pub async fn channel(
    clients: &Clients,
    settings: &GuildSettings,
    guild_id: &str,
    channel_id: &str,
) -> Result<Channel, StopReason> {
    let unwanted = |what: &str| {
        let reason = format!("the guild's settings leave {what} out");
        Err(StopReason::Unwanted(reason))
    };
    if settings.leaves_out(channel_id) {
        return unwanted("this channel");
    }
    let channel = checked(clients, clients.discord.channel(channel_id).await).await?;
    if channel.is_thread() {
        let parent = channel.parent_id.as_deref();
        if !settings.include_threads {
            return unwanted("threads");
        } else if parent.is_some_and(|parent| settings.leaves_out(parent)) {
            return unwanted("the channel this thread is under");
        }
    }
    let fail = |reason: &str| Err(StopReason::Fail(reason.to_owned()));
    if channel.guild_id.as_deref() != Some(guild_id) {
        return fail("the channel is not of this guild");
    }
    match channel.kind() {
        ChannelType::Messages => Ok(channel),
        ChannelType::ThreadsOnly => fail("a forum holds no messages itself: scan its threads"),
        ChannelType::Category => fail("a category holds no messages"),
    }
}

/// Without the intent to read content messages are empty, but for the bot's own and those
/// that mention it: asked once a run, where a message of a page is empty and none shows
/// what it would not show otherwise.
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
    Err(StopReason::Fail(
        "the bot may not read what messages hold: switch on MESSAGE_CONTENT among its intents"
            .to_owned(),
    ))
}

/// Without the permission to read history, every page is empty: asked when one is,
/// wherever the channel has messages.
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
        // It was deleted, and the page is the end.
        Err(Error::NotFound { .. }) => Ok(()),
        // Nothing is older than the oldest message read.
        Ok(_) if matches!(position, Position::Before(_)) => Ok(()),
        Ok(_) | Err(Error::Forbidden { .. }) => Err(StopReason::Fail(
            "the bot may not read this channel's history: it needs the permission READ_MESSAGE_HISTORY there"
                .to_owned(),
        )),
        other => checked(clients, other).await.map(|_| ()),
    }
}
