//! Idempotent requests: a request that is sent twice is executed once and gets the same
//! answer twice.
//!
//! The request's key holds a mark of the function that works on it, for as long as that
//! function may take, or the reply, for a day. Both contain a fingerprint of the request,
//! so that a different request with the same key is recognized. If the function dies, the
//! key becomes free when its time is over. If it only takes too long, it can no longer
//! store its reply or remove anything, because its mark is compared first.
//!
//! | operation | billed |
//! |---|---|
//! | begin, or find the request begun, done, or different | 1 |
//! | complete | 1; 2 as part of the work, which then takes no round trip |
//! | give up | 1 |
//!
//! **Lost replies.** Each operation may be sent again. A repeated begin finds its own mark
//! and has begun. The others compare the mark, and if a repetition is answered "not the
//! owner", that is only logged.
//!
//! The fingerprint is a SHA-1. An attacker who creates two bodies with the same fingerprint
//! gains nothing: they get the reply to their own first body.

mod keys;
mod record;

use std::time::Duration;

pub use keys::Keys;
use record::Record;
pub use record::StoredReply;

use crate::clock::Clock;
use crate::redis::{Command, Error, Exchange, Pipeline, Prefix, Redis, Replies, Slot};

/// How long a reply is kept.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// The idempotent requests. Cheap to clone.
#[derive(Clone)]
pub struct Idempotency {
    keys: Keys,
    clock: Clock,
}

/// A request that owns its key until it is answered or given up.
#[derive(Clone, Debug)]
pub struct PendingRequest {
    key: String,
    fingerprint: String,
    /// The value of the key while this request works on it.
    mark: String,
    time: Duration,
}

/// The state of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum RequestState {
    /// The request is new, and this function should execute it.
    New,
    /// The request was answered.
    Done(StoredReply),
    /// Another function works on the request.
    InProgress {
        /// The time at which its time limit ends, in unix milliseconds.
        until_ms: i64,
    },
    /// The key belongs to a different request.
    Other,
}

impl Idempotency {
    /// Creates the store under this key prefix.
    pub fn new(prefix: &str, clock: Clock) -> Idempotency {
        Idempotency {
            keys: Keys(Prefix::new(prefix)),
            clock,
        }
    }

    /// Returns the request that consists of `parts` and must finish within `time`. Keys in
    /// different scopes are independent.
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

    /// Adds the beginning to a pipeline. [`Idempotency::read_begin`] reads its result.
    pub fn add_begin(
        &self,
        pipeline: &mut Pipeline,
        pending: &PendingRequest,
    ) -> Slot<Option<String>> {
        // Safe to repeat, because the second sending finds the mark of the first.
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

    /// Reads the result of [`Idempotency::add_begin`].
    ///
    /// # Errors
    /// The beginning failed.
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
        // A value that cannot be read is treated as another request's.
        Ok(match Record::parse(&found) {
            Some(record) if record.fingerprint() != pending.fingerprint => RequestState::Other,
            Some(Record::InProgress { until_ms, .. }) => RequestState::InProgress { until_ms },
            Some(Record::Done { reply, .. }) => RequestState::Done(reply),
            None => RequestState::Other,
        })
    }

    /// Stores the reply. Returns false if this request no longer owns the key.
    ///
    /// # Errors
    /// Redis could not be reached. The key then becomes free when the request's time is
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

    /// Frees the key if this request still owns it, so that the request may be sent again.
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

    /// The exchange that stores the reply, for a script to make as part of the work.
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
