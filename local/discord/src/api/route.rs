//! Parses the route of a request once, for faults, buckets and handlers alike.

use axum::http::{Method, StatusCode};

use super::error::ApiError;
use crate::{faults::Target, rate_limit::BucketKey};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Messages { channel_id: u64 },
    Message { channel_id: u64, message_id: u64 },
    Channel { channel_id: u64 },
    Archived { channel_id: u64, list: ArchivedList },
    Guild { guild_id: u64 },
    GuildChannels { guild_id: u64 },
    ActiveThreads { guild_id: u64 },
    Member { guild_id: u64, user_id: u64 },
    MyGuilds,
    Me,
    Application,
    RefreshUrls,
}

/// Which archived threads of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArchivedList {
    Public,
    Private,
    /// Private threads that the bot was added to.
    Joined,
}

impl Route {
    /// Parses a path below `/api`, starting with the version.
    pub(crate) fn of(method: &Method, path: &str) -> Result<Self, ApiError> {
        let mut segments = path.split('/').filter(|segment| !segment.is_empty());
        if !matches!(segments.next(), Some("v10" | "v9")) {
            return Err(ApiError::invalid_version());
        }
        let segments: Vec<&str> = segments.collect();
        let route = Self::of_segments(&segments)?;
        let expected = match route {
            Self::RefreshUrls => Method::POST,
            _ => Method::GET,
        };
        if *method != expected {
            return Err(ApiError::of_status(StatusCode::METHOD_NOT_ALLOWED));
        }
        Ok(route)
    }

    fn of_segments(segments: &[&str]) -> Result<Self, ApiError> {
        let channel = |text: &str| id("channel_id", text);
        let guild = |text: &str| id("guild_id", text);
        let archived =
            |text: &str, list| channel(text).map(|channel_id| Self::Archived { channel_id, list });
        match *segments {
            ["channels", c] => channel(c).map(|channel_id| Self::Channel { channel_id }),
            ["channels", c, "messages"] => {
                channel(c).map(|channel_id| Self::Messages { channel_id })
            }
            ["channels", c, "messages", m] => Ok(Self::Message {
                channel_id: channel(c)?,
                message_id: id("message_id", m)?,
            }),
            ["channels", c, "threads", "archived", "public"] => archived(c, ArchivedList::Public),
            ["channels", c, "threads", "archived", "private"] => archived(c, ArchivedList::Private),
            [
                "channels",
                c,
                "users",
                "@me",
                "threads",
                "archived",
                "private",
            ] => archived(c, ArchivedList::Joined),
            ["guilds", g] => guild(g).map(|guild_id| Self::Guild { guild_id }),
            ["guilds", g, "channels"] => guild(g).map(|guild_id| Self::GuildChannels { guild_id }),
            ["guilds", g, "threads", "active"] => {
                guild(g).map(|guild_id| Self::ActiveThreads { guild_id })
            }
            ["guilds", g, "members", user] => Ok(Self::Member {
                guild_id: guild(g)?,
                user_id: id("user_id", user)?,
            }),
            ["users", "@me"] => Ok(Self::Me),
            ["users", "@me", "guilds"] => Ok(Self::MyGuilds),
            ["applications", "@me"] => Ok(Self::Application),
            ["attachments", "refresh-urls"] => Ok(Self::RefreshUrls),
            _ => Err(ApiError::of_status(StatusCode::NOT_FOUND)),
        }
    }

    pub(crate) fn target(self) -> Target {
        match self {
            Self::Messages { .. } => Target::Listing,
            Self::Message { .. } => Target::Message,
            Self::Application => Target::Application,
            _ => Target::Other,
        }
    }

    pub(crate) fn bucket(self) -> BucketKey {
        let (route, major) = match self {
            Self::Messages { channel_id } => ("messages", channel_id),
            Self::Message { channel_id, .. } => ("message", channel_id),
            Self::Channel { channel_id } => ("channel", channel_id),
            Self::Archived { channel_id, .. } => ("archived", channel_id),
            Self::Guild { guild_id } => ("guild", guild_id),
            Self::GuildChannels { guild_id } => ("guild-channels", guild_id),
            Self::ActiveThreads { guild_id } => ("active-threads", guild_id),
            Self::Member { guild_id, .. } => ("member", guild_id),
            Self::MyGuilds => ("my-guilds", 0),
            Self::Me => ("me", 0),
            Self::Application => ("application", 0),
            Self::RefreshUrls => ("refresh-urls", 0),
        };
        BucketKey {
            route,
            is_listing: matches!(self, Self::Messages { .. }),
            major,
        }
    }
}

fn id(field: &str, text: &str) -> Result<u64, ApiError> {
    text.parse()
        .map_err(|_| ApiError::not_snowflake(field, text))
}
