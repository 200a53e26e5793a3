//! What the bot can see: its guilds, their channels and their threads.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::client::wait_for_next;
use super::{Channel, Discord, Error, Guild, Member, MessageId};

/// The most guilds in one answer.
const GUILDS_AT_ONCE: usize = 200;

/// The most threads in one answer.
const THREADS_AT_ONCE: u32 = 100;

/// A list of archived threads. Each has an order and a cursor of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArchivedList {
    /// Public threads, those archived last first. The cursor is the time of archiving.
    Public,
    /// All private threads, in the same order. Needs MANAGE_THREADS.
    Private,
    /// The private threads that the bot was added to, newest first. The cursor is an id.
    Joined,
}

/// Threads, and which of them the bot was added to.
#[derive(Debug, Default)]
pub struct Threads {
    pub threads: Vec<Channel>,
    pub joined: BTreeSet<MessageId>,
    /// Whether the list goes on.
    pub has_more: bool,
    /// How long Discord asks to wait before the next page; zero if it does not.
    pub wait: Duration,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    threads: Vec<Box<RawValue>>,
    #[serde(default)]
    members: Vec<Box<RawValue>>,
    #[serde(default)]
    has_more: bool,
}

#[derive(Deserialize)]
struct HasId {
    id: MessageId,
}

impl Discord {
    /// The bot's own id.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn me(&self) -> Result<MessageId, Error> {
        let (me, _): (HasId, _) = self.get("/users/@me").await?;
        Ok(me.id)
    }

    /// All guilds that the bot is in, by id. One request for every 200.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn guilds(&self) -> Result<Vec<Guild>, Error> {
        let mut all: Vec<Guild> = Vec::new();
        loop {
            let after = all.last().map_or(0, |guild| guild.id.0);
            let path = format!("/users/@me/guilds?limit={GUILDS_AT_ONCE}&after={after}");
            let (page, _): (Vec<Box<RawValue>>, _) = self.get(&path).await?;
            let length = page.len();
            let mut page: Vec<Guild> = readable(page);
            page.sort_by_key(|guild| guild.id);
            let is_on = page.last().is_some_and(|last| last.id.0 > after);
            all.extend(page.into_iter().filter(|guild| guild.id.0 > after));
            // A server that ignores `after` would answer the same page for ever.
            if length < GUILDS_AT_ONCE || !is_on {
                return Ok(all);
            }
        }
    }

    /// All channels of a guild, also those that the bot cannot see, but no threads.
    ///
    /// # Errors
    /// See [`Error`]. A channel that cannot be parsed is left out.
    pub async fn guild_channels(&self, guild: &str) -> Result<Vec<Channel>, Error> {
        let path = format!("/guilds/{guild}/channels");
        let (channels, _): (Vec<Box<RawValue>>, _) = self.get(&path).await?;
        Ok(readable(channels))
    }

    /// A member of a guild.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn member(&self, guild: &str, user: MessageId) -> Result<Member, Error> {
        let path = format!("/guilds/{guild}/members/{user}");
        Ok(self.get(&path).await?.0)
    }

    /// All active threads of a guild that the bot can see.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn active_threads(&self, guild: &str) -> Result<Threads, Error> {
        self.threads(&format!("/guilds/{guild}/threads/active"))
            .await
    }

    /// Archived threads of a channel after a cursor, of [`ArchivedList::cursor`].
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn archived_threads(
        &self,
        channel: &str,
        list: ArchivedList,
        before: Option<&str>,
    ) -> Result<Threads, Error> {
        let place = match list {
            ArchivedList::Public => "threads/archived/public",
            ArchivedList::Private => "threads/archived/private",
            ArchivedList::Joined => "users/@me/threads/archived/private",
        };
        let before = before.map_or(String::new(), |before| {
            // A plus sign means a space in a query.
            format!("&before={}", before.replace('+', "%2B"))
        });
        let path = format!("/channels/{channel}/{place}?limit={THREADS_AT_ONCE}{before}");
        self.threads(&path).await
    }

    async fn threads(&self, path: &str) -> Result<Threads, Error> {
        let (listed, headers): (Listed, _) = self.get(path).await?;
        let joined: Vec<HasId> = readable(listed.members);
        Ok(Threads {
            // An empty page is an end, whatever it says.
            has_more: listed.has_more && !listed.threads.is_empty(),
            threads: readable(listed.threads),
            joined: joined.into_iter().map(|member| member.id).collect(),
            wait: wait_for_next(&headers),
        })
    }
}

impl ArchivedList {
    /// The cursor after a thread of the list.
    pub fn cursor(self, thread: &Channel) -> Option<String> {
        match self {
            ArchivedList::Joined => Some(thread.id.to_string()),
            _ => thread.archived_at().map(str::to_owned),
        }
    }
}

/// Each value by itself, so that an odd one does not lose the list.
fn readable<T: DeserializeOwned>(values: Vec<Box<RawValue>>) -> Vec<T> {
    let length = values.len();
    let read = values.iter();
    let read: Vec<T> = read
        .filter_map(|value| serde_json::from_str(value.get()).ok())
        .collect();
    if read.len() < length {
        let n_unreadable = length - read.len();
        tracing::warn!(
            n_unreadable,
            "parts of a list of Discord's could not be read"
        );
    }
    read
}
