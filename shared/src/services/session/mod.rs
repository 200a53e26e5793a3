//! Sessions: data about a caller that is kept for a while under a secret token.
//!
//! A session lives as long as it is used, up to a fixed time after it began. Reading a
//! session keeps it alive, in the same single command (`GETEX`). A set lists the sessions
//! of each user, so that all of them can be revoked and their number stays limited: the
//! oldest are removed first.

mod error;
mod keys;
mod scripts;
mod token;

use std::time::Duration;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

pub use error::{Error, LARGEST};
pub use keys::Keys;
pub use scripts::ALL as SCRIPTS;
pub use token::Token;

use crate::clock::Clock;
use crate::redis::commands::keys::del;
use crate::redis::commands::sorted_sets::{Range, SortedSets as _, zrange, zrem};
use crate::redis::commands::strings::get_and_expire;
use crate::redis::{self, Pipeline, Prefix, Redis, Replies, Slot};
use scripts::CreateRequest;

/// The limits of one kind of session.
#[derive(Debug)]
pub struct SessionKind {
    /// The name that appears in the key.
    pub name: &'static str,
    /// A session ends when it is unused for this long.
    pub idle: Duration,
    /// A session ends this long after it began, however much it is used.
    pub lifetime: Duration,
    /// The largest number of sessions of one user, of all kinds. The oldest are removed.
    pub most: u64,
}

/// For people at a dashboard: ends after two hours without use, and after a day at the
/// latest.
pub static LOGIN: SessionKind = SessionKind {
    name: "login",
    idle: Duration::from_secs(2 * 3600),
    lifetime: Duration::from_secs(24 * 3600),
    most: 100,
};

/// A session as its holder sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session<T> {
    /// The user that the session belongs to.
    pub user: String,
    /// The time at which it ends in any case, in unix milliseconds.
    pub until: i64,
    /// The data stored with it.
    pub data: T,
}

/// The place of a session in a pipeline's replies.
pub struct Touch(Slot<Option<String>>);

/// Sessions of all kinds.
#[derive(Clone)]
pub struct Sessions {
    redis: Redis,
    keys: Keys,
    clock: Clock,
}

impl Sessions {
    /// Returns the sessions under this key prefix.
    pub fn new(redis: Redis, prefix: &str, clock: Clock) -> Sessions {
        Sessions {
            redis,
            keys: Keys(Prefix::new(prefix)),
            clock,
        }
    }

    /// Returns the same sessions on another handle, such as one that is scoped to a
    /// request.
    pub fn on(&self, redis: &Redis) -> Sessions {
        Sessions {
            redis: redis.clone(),
            ..self.clone()
        }
    }

    /// Begins a session. One request, and a second one if older sessions have to be
    /// removed.
    ///
    /// # Errors
    /// [`Error::TooLarge`], or Redis could not be reached.
    pub async fn create<T: Serialize>(
        &self,
        kind: &SessionKind,
        user: &str,
        data: T,
    ) -> Result<(Token, Session<T>), Error> {
        let now = self.clock.now_ms();
        let session = Session {
            user: user.to_owned(),
            until: now.saturating_add(kind.lifetime.as_millis() as i64),
            data,
        };
        let text = serde_json::to_string(&session).map_err(|_| Error::TooLarge)?;
        if text.len() > LARGEST {
            return Err(Error::TooLarge);
        }
        let token = Token::new()?;
        let name = format!("{}:{}", kind.name, token.id());
        let request = CreateRequest {
            now,
            until: session.until,
            idle_ms: kind.idle.as_millis(),
            name: &name,
            text,
            most: kind.most,
            keep_ms: kind.lifetime.as_millis(),
        };
        let keys = [self.keys.session(&name), self.keys.user(user)];
        // A second request removes the surplus sessions, and not the script. A script must
        // declare its keys in advance, but which keys to remove is known only after the set
        // was read.
        let beyond = scripts::create(&self.redis, [&keys[0], &keys[1]], request).await?;
        self.remove(user, &beyond).await?;
        Ok((token, session))
    }

    /// Returns the session of a token and keeps it alive. Returns `None` if the session has
    /// ended, was revoked, never existed, or cannot be read. One command.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn touch<T: DeserializeOwned>(
        &self,
        kind: &SessionKind,
        token: &Token,
    ) -> Result<Option<Session<T>>, Error> {
        let mut pipeline = Pipeline::new();
        let slot = self.add_touch(&mut pipeline, kind, token);
        let mut replies = pipeline.send(&*self.redis).await?;
        Ok(self.read_touch(&mut replies, slot)?)
    }

    /// Like [`Sessions::touch`], in a request with other commands. [`Sessions::read_touch`]
    /// reads the result.
    pub fn add_touch(&self, pipeline: &mut Pipeline, kind: &SessionKind, token: &Token) -> Touch {
        let key = self.keys.session(&format!("{}:{}", kind.name, token.id()));
        Touch(pipeline.add(get_and_expire(&key, kind.idle)))
    }

    /// Reads the result of [`Sessions::add_touch`].
    ///
    /// # Errors
    /// The session could not be read.
    pub fn read_touch<T: DeserializeOwned>(
        &self,
        replies: &mut Replies,
        touch: Touch,
    ) -> Result<Option<Session<T>>, redis::Error> {
        let text = replies.take(touch.0)?;
        let session: Option<Session<T>> = text.and_then(|text| serde_json::from_str(&text).ok());
        let now = self.clock.now_ms();
        Ok(session.filter(|session| now < session.until))
    }

    /// Ends the session of a token. Has no effect if the session has already ended.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn revoke(&self, kind: &SessionKind, token: &Token, user: &str) -> Result<(), Error> {
        let name = format!("{}:{}", kind.name, token.id());
        self.remove(user, &[name]).await
    }

    /// Ends all sessions of a user, and returns how many were listed.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn revoke_all(&self, user: &str) -> Result<u64, Error> {
        let names = self
            .redis
            .zrange(&self.keys.user(user), Range::Rank(0, -1))
            .await?;
        self.remove(user, &names).await?;
        Ok(names.len() as u64)
    }

    /// Like [`Sessions::revoke_all`], but only if the session of `token` is still valid. So
    /// somebody who has signed out cannot end other sessions.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn revoke_all_from(
        &self,
        kind: &SessionKind,
        token: &Token,
        user: &str,
    ) -> Result<(), Error> {
        let mut pipeline = Pipeline::new();
        let touch = self.add_touch(&mut pipeline, kind, token);
        let names = pipeline.add(zrange(&self.keys.user(user), Range::Rank(0, -1)));
        let mut replies = pipeline.send(&*self.redis).await?;
        let session = self.read_touch::<IgnoredAny>(&mut replies, touch)?;
        let names = replies.take(names)?;
        match session.filter(|session| session.user == user) {
            Some(_) => self.remove(user, &names).await,
            None => Ok(()),
        }
    }

    async fn remove(&self, user: &str, names: &[String]) -> Result<(), Error> {
        if names.is_empty() {
            return Ok(());
        }
        let keys: Vec<String> = names.iter().map(|name| self.keys.session(name)).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut pipeline = Pipeline::new();
        // The session is removed first. A listed session that no longer exists is harmless.
        let gone = pipeline.add(del(&keys));
        let forgotten = pipeline.add(zrem(&self.keys.user(user), &names));
        let mut replies = pipeline.send(&*self.redis).await?;
        replies.take(gone)?;
        replies.take(forgotten)?;
        Ok(())
    }
}
