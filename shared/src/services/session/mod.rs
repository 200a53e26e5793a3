//! Sessions: something known of a caller for a while, under a token only they have.
//!
//! A session lives as long as it is used, and at the latest until a fixed time after its
//! beginning. Reading one keeps it alive, in the same single command (`GETEX`). Those of a
//! user are noted in a set, so that all can be revoked and there are never too many: the
//! oldest go first.

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

/// What sessions of one kind are allowed.
#[derive(Debug)]
pub struct SessionKind {
    /// As it stands in the key.
    pub name: &'static str,
    /// A session unused for so long is over.
    pub idle: Duration,
    /// So long after its beginning it is over, however much used.
    pub lifetime: Duration,
    /// Sessions of one user, of all kinds; the oldest make room.
    pub most: u64,
}

/// Of people at a dashboard: two hours unused, a day at most.
pub static LOGIN: SessionKind = SessionKind {
    name: "login",
    idle: Duration::from_secs(2 * 3600),
    lifetime: Duration::from_secs(24 * 3600),
    most: 100,
};

/// A session as its holder has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session<T> {
    /// Whose session it is.
    pub user: String,
    /// Unix milliseconds at which it is over in any case.
    pub until: i64,
    /// What is stored with it.
    pub data: T,
}

/// Where in a pipeline's replies a session is found.
pub struct Touch(Slot<Option<String>>);

/// Sessions of all kinds.
#[derive(Clone)]
pub struct Sessions {
    redis: Redis,
    keys: Keys,
    clock: Clock,
}

impl Sessions {
    /// The sessions under this key prefix.
    pub fn new(redis: Redis, prefix: &str, clock: Clock) -> Sessions {
        Sessions {
            redis,
            keys: Keys(Prefix::new(prefix)),
            clock,
        }
    }

    /// The same sessions through another handle, such as one scoped to a request.
    pub fn on(&self, redis: &Redis) -> Sessions {
        Sessions {
            redis: redis.clone(),
            ..self.clone()
        }
    }

    /// Begins a session. One request; a second when older ones make room.
    ///
    /// # Errors
    /// [`Error::TooLarge`], or when Redis cannot be reached.
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
        // What is beyond the most is removed by a second request, not by the script: which keys
        // go is known only once the set is read, and a script names its keys before.
        let beyond = scripts::create(&self.redis, [&keys[0], &keys[1]], request).await?;
        self.remove(user, &beyond).await?;
        Ok((token, session))
    }

    /// The session of a token, kept alive by that; none when it is over, revoked, never
    /// was, or cannot be read. One command.
    ///
    /// # Errors
    /// When Redis cannot be reached.
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

    /// As [`Sessions::touch`] in a request with other commands; [`Sessions::read_touch`]
    /// takes what came of it.
    pub fn add_touch(&self, pipeline: &mut Pipeline, kind: &SessionKind, token: &Token) -> Touch {
        let key = self.keys.session(&format!("{}:{}", kind.name, token.id()));
        Touch(pipeline.add(get_and_expire(&key, kind.idle)))
    }

    /// # Errors
    /// When the session could not be read.
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

    /// Ends the session of a token, if it goes on; twice is once.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn revoke(&self, kind: &SessionKind, token: &Token, user: &str) -> Result<(), Error> {
        let name = format!("{}:{}", kind.name, token.id());
        self.remove(user, &[name]).await
    }

    /// Ends all sessions of a user that have begun; answers how many were noted.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn revoke_all(&self, user: &str) -> Result<u64, Error> {
        let names = self
            .redis
            .zrange(&self.keys.user(user), Range::Rank(0, -1))
            .await?;
        self.remove(user, &names).await?;
        Ok(names.len() as u64)
    }

    /// As [`Sessions::revoke_all`], if the session of `token` goes on: who signed out
    /// before ends nobody else's.
    ///
    /// # Errors
    /// When Redis cannot be reached.
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
        // The session first: one that is noted and gone does no harm.
        let gone = pipeline.add(del(&keys));
        let forgotten = pipeline.add(zrem(&self.keys.user(user), &names));
        let mut replies = pipeline.send(&*self.redis).await?;
        replies.take(gone)?;
        replies.take(forgotten)?;
        Ok(())
    }
}
