//! Reads a value, and loads it if it is missing or stale.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::to_raw_value;

use super::stored::{Found, Look, Stored};
use super::{Cache, Entry, PATIENCE};
use crate::redis::commands::keys::{del, del_if_equal};
use crate::redis::commands::strings::{SetOptions, get, mget_bytes, set};
use crate::redis::{Command, Error, FromReply, Pipeline, Replies};

/// How long a loader is assumed to be working. Longer than the timeout for Discord.
pub(super) const CLAIM: Duration = Duration::from_secs(15);

/// How long a value is kept that is no longer good when it is stored. Readers that wait for
/// it get it, and the source is not asked by each of them.
const SHORTEST: Duration = Duration::from_secs(1);

/// How long a reader waits for another process to load a value before it loads the value
/// itself.
const WAIT: Duration = Duration::from_secs(5);

/// The first pause between two reads while waiting. Each pause is twice the one before, up
/// to a maximum.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_millis(800);

/// The result of claiming a load.
enum Claimed {
    /// The claim succeeded. Contains the text that is stored now.
    Yes(String),
    /// Another text is stored. It may still be this claim, if the reply belongs to its
    /// second sending.
    No(String),
    RedisAway,
}

impl Cache {
    /// Reads a value, fresh or stale. Returns `None` if nothing is known, and `Some(None)`
    /// if the value is known not to exist. One command.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn get<T: DeserializeOwned>(
        &self,
        entry: &Entry<T>,
    ) -> Result<Option<Option<T>>, Error> {
        let look = self.look(entry).await?;
        self.count(&look);
        Ok(match look.found {
            Found::Fresh(value) | Found::Stale(value) => Some(value),
            Found::Nothing => None,
        })
    }

    /// Stores a value that was just read or created. One command, or two if the value has a
    /// parent.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn set<T: Serialize>(
        &self,
        entry: &Entry<T>,
        value: Option<&T>,
    ) -> Result<(), Error> {
        let epoch = match &entry.parent {
            Some(parent) => self.ask(get(&self.keys.epoch(parent))).await?,
            None => None,
        };
        let mut pipeline = Pipeline::new();
        self.add_store(&mut pipeline, entry, value, epoch);
        self.send(pipeline).await?;
        Ok(())
    }

    /// Adds the write of a value without a parent to a pipeline.
    pub fn add_set<T: Serialize>(
        &self,
        pipeline: &mut Pipeline,
        entry: &Entry<T>,
        value: Option<&T>,
    ) {
        self.add_store(pipeline, entry, value, None);
    }

    /// If the value cannot be serialized, the stored value is deleted, because it is older.
    pub(super) fn add_store<T: Serialize>(
        &self,
        pipeline: &mut Pipeline,
        entry: &Entry<T>,
        value: Option<&T>,
        epoch: Option<String>,
    ) {
        let key = self.keys.value(entry.kind.name, &entry.id);
        match self.stored(entry, value, 0, epoch) {
            Some((text, life)) => {
                pipeline.add(set(&key, &text, SetOptions::new().expires_in(life)));
            }
            None => {
                pipeline.add(del(&[&key]));
            }
        }
    }

    /// Returns the value from the cache, or from `load`, which returns `None` if the value
    /// does not exist. A hit costs one command; a miss costs three, plus the load.
    ///
    /// # Errors
    /// The loader's error, if there is no cached value to fall back on. An unavailable
    /// Redis is not an error.
    pub async fn get_or_load<T, E, L, F>(&self, entry: &Entry<T>, load: L) -> Result<Option<T>, E>
    where
        T: Serialize + DeserializeOwned,
        L: FnOnce() -> F,
        F: Future<Output = Result<Option<T>, E>>,
    {
        let Ok(mut look) = self.look(entry).await else {
            return self.load_only(load).await;
        };
        self.count(&look);
        let now = self.clock.now_ms();
        let is_due = match look.found {
            Found::Fresh(_) => look.is_due_early(now, fastrand::f64()),
            Found::Stale(_) => true,
            Found::Nothing => return self.load_missing(entry, look, load).await,
        };
        if is_due
            && !look.is_claimed(now)
            && let Claimed::Yes(text) = self.claim(entry, &look).await
        {
            self.counters.refreshes.one();
            if let Ok(value) = self.load_and_store(entry, &look, &text, load).await {
                return Ok(value);
            }
            // The claim stays. Until it ends, nobody calls the failing service again.
        }
        match std::mem::replace(&mut look.found, Found::Nothing) {
            Found::Fresh(value) | Found::Stale(value) => Ok(value),
            Found::Nothing => Ok(None),
        }
    }

    /// Loads a missing value, or waits for the process that is loading it.
    async fn load_missing<T, E, L, F>(
        &self,
        entry: &Entry<T>,
        mut look: Look<T>,
        load: L,
    ) -> Result<Option<T>, E>
    where
        T: Serialize + DeserializeOwned,
        L: FnOnce() -> F,
        F: Future<Output = Result<Option<T>, E>>,
    {
        let patience = self.clock.deadline(WAIT);
        let mut pause = FIRST_PAUSE;
        let mut refused = None;
        loop {
            // A claim that was refused and yet is stored is our own: its first sending was
            // applied, its reply was lost, and the second sending found the first.
            let mine = if refused.is_some() && look.raw == refused {
                refused.take()
            } else if look.is_claimed(self.clock.now_ms()) {
                None
            } else {
                match self.claim(entry, &look).await {
                    Claimed::Yes(text) => Some(text),
                    Claimed::No(text) => {
                        refused = Some(text);
                        None
                    }
                    Claimed::RedisAway => return self.load_only(load).await,
                }
            };
            if let Some(text) = mine {
                let loaded = self.load_and_store(entry, &look, &text, load).await;
                if loaded.is_err() {
                    // Nobody has a value, so the next reader should try immediately.
                    self.release(entry, &text).await;
                }
                return loaded;
            }
            if patience.remaining().is_zero() {
                // The other process is slower than the source should be.
                return self.load_only(load).await;
            }
            self.clock
                .pause(pause.mul_f64(0.5 + fastrand::f64() / 2.0))
                .await;
            pause = (pause * 2).min(LAST_PAUSE);
            look = match self.look(entry).await {
                Ok(look) => look,
                Err(_) => return self.load_only(load).await,
            };
            if let Found::Fresh(value) | Found::Stale(value) = look.found {
                self.counters.waits.one();
                return Ok(value);
            }
        }
    }

    async fn load_only<T, E, L, F>(&self, load: L) -> Result<Option<T>, E>
    where
        L: FnOnce() -> F,
        F: Future<Output = Result<Option<T>, E>>,
    {
        self.counters.loads.one();
        let loaded = load().await;
        if loaded.is_err() {
            self.counters.failed_loads.one();
        }
        loaded
    }

    async fn load_and_store<T, E, L, F>(
        &self,
        entry: &Entry<T>,
        look: &Look<T>,
        claimed: &str,
        load: L,
    ) -> Result<Option<T>, E>
    where
        T: Serialize,
        L: FnOnce() -> F,
        F: Future<Output = Result<Option<T>, E>>,
    {
        // The duration of the load decides how early the next one begins.
        let started = self.clock.elapsed();
        let value = self.load_only(load).await?;
        let load_ms = (self.clock.elapsed() - started).as_millis() as u64;
        let epoch = look.epoch.clone();
        let Some((text, life)) = self.stored(entry, value.as_ref(), load_ms, epoch) else {
            self.release(entry, claimed).await;
            return Ok(value);
        };
        let key = self.keys.value(entry.kind.name, &entry.id);
        // An invalidation removes the claim, so a value that was loaded before it is not
        // stored after it.
        let only_if = SetOptions::new().if_equal(claimed).expires_in(life);
        if let Ok(false) = self.ask(set(&key, &text, only_if)).await {
            self.counters.outdated.one();
        }
        Ok(value)
    }

    /// Replaces the text that was read with a claim, if that text is still stored.
    async fn claim<T: DeserializeOwned>(&self, entry: &Entry<T>, look: &Look<T>) -> Claimed {
        let token = format!("{:016x}", fastrand::u64(..));
        let text = look.claim(token, self.clock.now_ms(), CLAIM);
        let options = match (&look.raw, &look.found) {
            (Some(raw), Found::Nothing) => SetOptions::new().expires_in(CLAIM).if_equal(raw),
            (Some(raw), _) => SetOptions::new().keep_expiry().if_equal(raw),
            (None, _) => SetOptions::new().expires_in(CLAIM).if_missing(),
        };
        let key = self.keys.value(entry.kind.name, &entry.id);
        match self.ask(set(&key, &text, options)).await {
            Ok(true) => Claimed::Yes(text),
            Ok(false) => Claimed::No(text),
            Err(_) => Claimed::RedisAway,
        }
    }

    /// Removes the claim of a failed load, so that the next reader need not wait.
    async fn release<T>(&self, entry: &Entry<T>, claimed: &str) {
        let key = self.keys.value(entry.kind.name, &entry.id);
        // A failure is counted. The claim expires by itself.
        let _ = self.ask(del_if_equal(&key, claimed)).await;
    }

    /// Serializes a value and returns its lifetime. `None` if it cannot be written as JSON.
    fn stored<T: Serialize>(
        &self,
        entry: &Entry<T>,
        value: Option<&T>,
        load_ms: u64,
        epoch: Option<String>,
    ) -> Option<(String, Duration)> {
        let now = self.clock.now_ms();
        let (ttl, stale) = match value {
            Some(value) => {
                let (ttl, stale) = (entry.kind.ttl, entry.kind.stale);
                match (entry.good_until)(value) {
                    Some(end) => {
                        let left = Duration::from_millis(u64::try_from(end - now).unwrap_or(0));
                        (ttl.min(left.max(SHORTEST)), stale)
                    }
                    None => (ttl, stale),
                }
            }
            None => (entry.kind.negative, Duration::ZERO),
        };
        let value = match value.map(to_raw_value).transpose() {
            Ok(value) => value,
            Err(error) => {
                self.counters.unwritable.one();
                let (kind, error) = (entry.kind.name, error.to_string());
                tracing::warn!(kind, error, "a value could not be cached");
                return None;
            }
        };
        let fresh_until = now.saturating_add(ttl.as_millis() as i64);
        let stored = Stored {
            fresh_until: Some(fresh_until),
            load_ms,
            epoch,
            claim: None,
            value,
        };
        Some((stored.text(), ttl + stale))
    }

    pub(super) async fn look<T: DeserializeOwned>(
        &self,
        entry: &Entry<T>,
    ) -> Result<Look<T>, Error> {
        let keys = entry.keys(&self.keys);
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let mut found = self.ask(mget_bytes(&keys)).await?.into_iter();
        let (raw, epoch) = (found.next().flatten(), found.next().flatten());
        let epoch = epoch.map(|epoch| String::from_utf8_lossy(&epoch).into_owned());
        Ok(Look::of(raw, epoch, self.clock.now_ms()))
    }

    pub(super) fn count<T>(&self, look: &Look<T>) {
        match look.found {
            Found::Fresh(_) => self.counters.hits.one(),
            Found::Stale(_) => self.counters.stale.one(),
            Found::Nothing => self.counters.misses.one(),
        }
        if look.is_unreadable {
            self.counters.unreadable.one();
        }
    }

    pub(super) async fn ask<R: FromReply>(&self, command: Command<R>) -> Result<R, Error> {
        self.patiently(command.send(&*self.redis)).await
    }

    pub(super) async fn send(&self, pipeline: Pipeline) -> Result<Replies, Error> {
        self.patiently(pipeline.send(&*self.redis)).await
    }

    /// Waits for an answer for a limited time. A failure is counted.
    async fn patiently<R>(
        &self,
        answer: impl Future<Output = Result<R, Error>>,
    ) -> Result<R, Error> {
        let answer = tokio::select! {
            answer = answer => answer,
            () = self.clock.sleep(PATIENCE) => Err(Error::Timeout(PATIENCE)),
        };
        if answer.is_err() {
            self.counters.failures.one();
        }
        answer
    }
}
