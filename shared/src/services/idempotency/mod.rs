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

/// A request under its key, until it is answered or given up.
#[derive(Clone, Debug)]
pub struct PendingRequest {
    key: String,
    fingerprint: String,
    /// What the key holds while this one works on it.
    mark: String,
    time: Duration,
}

/// What is known of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum RequestState {
    /// It is new: this function is to do it.
    New,
    /// It was answered.
    Done(StoredReply),
    /// Another function works on it, until this many unix milliseconds at most.
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

    /// The request that `parts` make up, to be done within `time`. Keys of
    /// different scopes have nothing to do with each other.
    pub fn pending(
        &self,
        scope: &str,
        key: &str,
        parts: &[&[u8]],
        time: Duration,
    ) -> PendingRequest {
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
        PendingRequest {
            key: self.keys.request(scope, key),
            fingerprint,
            mark: record.to_text(),
            time,
        }
    }

    /// Adds the beginning to a pipeline; [`Idempotency::read_begin`] takes what came of
    /// it.
    pub fn add_begin(
        &self,
        pipeline: &mut Pipeline,
        pending: &PendingRequest,
    ) -> Slot<Option<String>> {
        // Safe to repeat: the second finds the mark of the first.
        pipeline.add(
            Command::safe("SET")
                .arg(&pending.key)
                .arg(&pending.mark)
                .arg("NX")
                .arg("GET")
                .arg("PX")
                .arg(pending.time.as_millis().max(1)),
        )
    }

    /// # Errors
    /// When the beginning failed.
    pub fn read_begin(
        &self,
        replies: &mut Replies,
        pending: &PendingRequest,
        slot: Slot<Option<String>>,
    ) -> Result<RequestState, Error> {
        let Some(found) = replies.take(slot)? else {
            return Ok(RequestState::New);
        };
        if found == pending.mark {
            return Ok(RequestState::New);
        }
        // What cannot be read is another request's, for all one knows.
        Ok(match Record::parse(&found) {
            Some(record) if record.fingerprint() != pending.fingerprint => RequestState::Other,
            Some(Record::InProgress { until_ms, .. }) => RequestState::InProgress { until_ms },
            Some(Record::Done { reply, .. }) => RequestState::Done(reply),
            None => RequestState::Other,
        })
    }

    /// Stores the reply; false when this request no longer owns the key.
    ///
    /// # Errors
    /// When Redis cannot be reached; the key is then free when the request's time is
    /// over.
    pub async fn complete(
        &self,
        redis: &Redis,
        pending: &PendingRequest,
        reply: &StoredReply,
    ) -> Result<bool, Error> {
        self.completion(pending, reply)
            .command()
            .send(&**redis)
            .await
    }

    /// Frees the key, if this request still owns it: it may then be sent again.
    ///
    /// # Errors
    /// As [`Idempotency::complete`].
    pub async fn give_up(&self, redis: &Redis, pending: &PendingRequest) -> Result<bool, Error> {
        Command::<bool>::safe("DELEX")
            .arg(&pending.key)
            .arg("IFEQ")
            .arg(&pending.mark)
            .send(&**redis)
            .await
    }

    /// What stores the reply, for a script to do as a part of the work.
    pub fn completion(&self, pending: &PendingRequest, reply: &StoredReply) -> Exchange {
        let record = Record::Done {
            fingerprint: pending.fingerprint.clone(),
            reply: reply.clone(),
        };
        Exchange {
            key: pending.key.clone(),
            old: pending.mark.clone(),
            new: record.to_text(),
            keep: REMEMBERED,
        }
    }
}
