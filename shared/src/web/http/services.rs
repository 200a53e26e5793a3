//! What an app's front and its handlers work with: every client there is, made once per
//! cold start.
//!
//! The fields are the front's. A handler gets what it needs from its
//! [`Context`](super::Context), bound to its request.

use std::sync::Arc;

use super::Auth;
use super::anonymous_budget::AnonymousBudget;
use crate::cache::Cache;
use crate::clock::Clock;
use crate::config::{HttpConfig, QueueConfig};
use crate::counters::Counters;
use crate::export::ExportStore;
use crate::flags::Flags;
use crate::idempotency::Idempotency;
use crate::metrics::{CommandBudget, Metrics};
use crate::notices::Notices;
use crate::progress::Progress;
use crate::queue::{CLIP, Queue, SCAN};
use crate::rate_limiter::RateLimiter;
use crate::redis::Redis;
use crate::scan::ScanStore;
use crate::schedules::Schedules;
use crate::session::Sessions;
use crate::uploads::Uploads;

/// See the module. Its clients are not bound to any request.
pub(crate) struct Services {
    pub(super) redis: Redis,
    pub(super) key_prefix: String,
    pub(super) auth: Auth,
    pub(super) clock: Clock,
    pub(super) config: HttpConfig,
    pub(super) metrics: Metrics,
    pub(super) budget: CommandBudget,
    pub(super) limiter: RateLimiter,
    pub(super) anonymous: AnonymousBudget,
    pub(super) idempotency: Idempotency,
    pub(super) sessions: Sessions,
    pub(super) queue: Queue,
    pub(super) clips: Queue,
    pub(super) store: ScanStore,
    pub(super) exports: ExportStore,
    pub(super) cache: Cache,
    pub(super) counters: Counters,
    pub(super) progress: Progress,
    pub(super) flags: Flags,
    pub(super) schedules: Schedules,
    pub(super) notices: Notices,
    pub(super) uploads: Uploads,
}

/// What services are made of.
pub(crate) struct Parts {
    pub redis: Redis,
    pub key_prefix: String,
    pub clock: Clock,
    pub auth: Auth,
    pub http: HttpConfig,
    pub queue: QueueConfig,
    pub cache: Cache,
    pub metrics: Metrics,
}

impl Services {
    pub(crate) fn new(parts: Parts) -> Arc<Services> {
        let Parts {
            redis,
            key_prefix,
            clock,
            auth,
            http,
            queue,
            cache,
            metrics,
        } = parts;
        let prefix = key_prefix.as_str();
        Arc::new(Services {
            auth,
            config: http,
            metrics,
            cache,
            budget: CommandBudget::new(&redis, prefix, clock.clone()),
            limiter: RateLimiter::new(prefix, clock.clone()),
            anonymous: AnonymousBudget::default(),
            idempotency: Idempotency::new(prefix, clock.clone()),
            sessions: Sessions::new(redis.clone(), prefix, clock.clone()),
            clips: Queue::new(
                redis.clone(),
                prefix,
                CLIP,
                clock.clone(),
                queue.clone().for_clips(),
            ),
            queue: Queue::new(redis.clone(), prefix, SCAN, clock.clone(), queue),
            store: ScanStore::new(redis.clone(), prefix),
            exports: ExportStore::new(redis.clone(), prefix),
            counters: Counters::new(redis.clone(), prefix, clock.clone()),
            progress: Progress::new(prefix),
            flags: Flags::new(prefix),
            schedules: Schedules::new(redis.clone(), prefix),
            notices: Notices::new(redis.clone(), prefix),
            uploads: Uploads::new(redis.clone(), prefix),
            key_prefix: key_prefix.clone(),
            redis,
            clock,
        })
    }
}
