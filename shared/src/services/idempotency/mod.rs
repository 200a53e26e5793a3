//! A request sent twice is done once, and answered twice alike.
//!
//! The key of a request holds either who works on it, for as long as that one may
//! take, or the reply, for a day. Both carry a fingerprint of the request, so that
//! a different request under the same key is recognised. A worker that dies frees the key when
//! its time is over; one that only timed out can neither store its reply nor remove
//! anything then, since its own mark is compared.
//!
//! | | billed |
//! |---|---|
//! | begin, or find it begun, done, or another | 1 |
//! | complete | 1; 2 as a part of the work, which then takes no round trip |
//! | give up | 1 |
//!
//! **Lost replies.** Each may be sent again: a beginning finds its own mark and has
//! begun; the others compare it, and a second answer of "not the owner" is only
//! logged.
//!
//! A fingerprint is a SHA-1: who makes two bodies with the same one gets the reply of
//! the first, and had both.

mod keys;
mod record;

use std::time::Duration;

pub use keys::Keys;
use record::Record;
pub use record::StoredReply;

use crate::clock::Clock;
use crate::redis::{Command, Error, Exchange, Pipeline, Prefix, Redis, Replies, Slot};

/// How long a reply is remembered.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// The requests that are remembered. Cheap to clone.
#[derive(Clone)]
pub struct Idempotency {
    keys: Keys,
    clock: Clock,
}

/// A request as its caller named it, before it is known what became of it.
#[derive(Clone, Debug)]
pub struct Attempt {
    key: String,
    fingerprint: String,
    /// What the key holds while this one works on it.
    mark: String,
    time: Duration,
}

/// What is known of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Begun {
    /// Nothing: it is this attempt's to do.
    New,
    /// It was answered.
    Done(StoredReply),
    /// Another attempt works on it, until this many unix milliseconds at most.
    InProgress {
        /// Unix milliseconds at which its time is over.
        until_ms: i64,
    },
    /// The key was used for another request.
    Other,
}

impl Idempotency {
    /// Remembers requests under this key prefix.
    pub fn new(prefix: &str, clock: Clock) -> Idempotency {
        Idempotency {
            keys: Keys(Prefix::new(prefix)),
            clock,
        }
    }

    /// An attempt at the request that `parts` make up, to be over in `time`. Keys of
    /// different scopes have nothing to do with each other.
    pub fn attempt(&self, scope: &str, key: &str, parts: &[&[u8]], time: Duration) -> Attempt {
        let mut hash = sha1_smol::Sha1::new();
        for part in parts {
            hash.update(&(part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let fingerprint = hash.digest().to_string();
        let until_ms = self.clock.now_ms().saturating_add(time.as_millis() as i64);
        let record = Record::InProgress {
            fingerprint: fingerprint.clone(),
            owner: ulid::Ulid::generate().to_string(),
            until_ms,
        };
        Attempt {
            key: self.keys.request(scope, key),
            fingerprint,
            mark: record.to_text(),
            time,
        }
    }

    /// Adds the beginning to a pipeline; [`Idempotency::read_begin`] takes what came of
    /// it.
    pub fn add_begin(&self, pipeline: &mut Pipeline, attempt: &Attempt) -> Slot<Option<String>> {
        // Safe to repeat: the second finds the mark of the first.
        pipeline.add(
            Command::safe("SET")
                .arg(&attempt.key)
                .arg(&attempt.mark)
                .arg("NX")
                .arg("GET")
                .arg("PX")
                .arg(attempt.time.as_millis().max(1)),
        )
    }

    /// # Errors
    /// When the beginning failed.
    pub fn read_begin(
        &self,
        replies: &mut Replies,
        attempt: &Attempt,
        slot: Slot<Option<String>>,
    ) -> Result<Begun, Error> {
        let Some(found) = replies.take(slot)? else {
            return Ok(Begun::New);
        };
        if found == attempt.mark {
            return Ok(Begun::New);
        }
        // What cannot be read is another request's, for all one knows.
        Ok(match Record::parse(&found) {
            Some(record) if record.fingerprint() != attempt.fingerprint => Begun::Other,
            Some(Record::InProgress { until_ms, .. }) => Begun::InProgress { until_ms },
            Some(Record::Done { reply, .. }) => Begun::Done(reply),
            None => Begun::Other,
        })
    }

    /// Stores the reply; false when the attempt was not the owner any more.
    ///
    /// # Errors
    /// When Redis cannot be reached; the key is then free when the attempt's time is
    /// over.
    pub async fn complete(
        &self,
        redis: &Redis,
        attempt: &Attempt,
        reply: &StoredReply,
    ) -> Result<bool, Error> {
        self.completion(attempt, reply)
            .command()
            .send(&**redis)
            .await
    }

    /// Frees the key, if the attempt still owns it: the request may be tried again.
    ///
    /// # Errors
    /// As [`Idempotency::complete`].
    pub async fn give_up(&self, redis: &Redis, attempt: &Attempt) -> Result<bool, Error> {
        Command::<bool>::safe("DELEX")
            .arg(&attempt.key)
            .arg("IFEQ")
            .arg(&attempt.mark)
            .send(&**redis)
            .await
    }

    /// What stores the reply, for a script to do as a part of the work.
    pub fn completion(&self, attempt: &Attempt, reply: &StoredReply) -> Exchange {
        let record = Record::Done {
            fingerprint: attempt.fingerprint.clone(),
            reply: reply.clone(),
        };
        Exchange {
            key: attempt.key.clone(),
            old: attempt.mark.clone(),
            new: record.to_text(),
            keep: REMEMBERED,
        }
    }
}
