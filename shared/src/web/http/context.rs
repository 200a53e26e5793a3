//! What a handler is given: its request, and the services it may use for it.
//!
//! A handler has no other way to Redis. Every service here speaks through the admission of
//! its request ([`super::admission`]): so none of them can be used without the caller's
//! limit, the idempotency key and the deadline of the request, and a request that never
//! needs Redis, such as one with a malformed id, costs no command.
//!
//! Most handlers take a [`Context`]. One that must look at its request before it is known
//! what it counts as, or when it begins, takes a [`Pending`], which has no services, and
//! makes a context of it once.

use std::ops::Deref;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::admission::Admission;
use super::begins::Begins;
use super::{Action, ApiError, Auth, Reply, Request, Services, paths::Parameters};
use crate::cache::Cache;
use crate::clock::Clock;
use crate::counters::Counters;
use crate::export::ExportStore;
use crate::flags::Flags;
use crate::input::{Invalid, parse_pairs};
use crate::metrics::CommandBudget;
use crate::notices::Notices;
use crate::progress::Progress;
use crate::queue::Queue;
use crate::redis::{Exchange, Redis};
use crate::scan::ScanStore;
use crate::schedules::Schedules;
use crate::session::Sessions;
use crate::uploads::Uploads;

/// A request that found its route.
pub(super) struct Arrived<S> {
    pub state: Arc<S>,
    pub request: Request,
    pub path: Parameters,
    pub redis: Redis,
    pub services: Arc<Services>,
    pub admission: Arc<Admission>,
}

impl<S> Arrived<S> {
    /// Reads the parameters of path and query as the route's types.
    ///
    /// # Errors
    /// 400 that names the parameter and what it may be.
    pub fn read<P, Q>(self) -> Result<Pending<S, P, Q>, ApiError>
    where
        P: DeserializeOwned,
        Q: DeserializeOwned,
    {
        let path = self
            .path
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        let path: Vec<(&str, &str)> = path.collect();
        let (path, query) = both(parse_pairs(&path), self.request.read_query())?;
        Ok(Pending(Context {
            path,
            query,
            state: self.state,
            request: self.request,
            redis: self.redis,
            services: self.services,
            admission: self.admission,
        }))
    }
}

/// What was read of path and query, or everything that is wrong with either.
fn both<P, Q>(path: Result<P, Invalid>, query: Result<Q, Invalid>) -> Result<(P, Q), Invalid> {
    match (path, query) {
        (Ok(path), Ok(query)) => Ok((path, query)),
        (Err(path), Err(query)) => Err(path.and(query)),
        (Err(wrong), _) | (_, Err(wrong)) => Err(wrong),
    }
}

/// A request whose handler has not begun: it can be read, and nothing else can be used.
///
/// ```compile_fail,E0599
/// # use shared::http::{ApiError, Pending, Reply};
/// async fn handler(pending: Pending<()>) -> Result<Reply, ApiError> {
///     pending.queue(); // no method named `queue`: it has not begun
///     Ok(Reply::ok(&()))
/// }
/// ```
pub struct Pending<S, P = (), Q = ()>(Context<S, P, Q>);

impl<S, P, Q> Pending<S, P, Q> {
    /// Begins the work, as the route's [`Spec`](super::Spec) says.
    pub fn begin(self) -> Context<S, P, Q> {
        self.0
    }

    /// As [`Pending::begin`], and counts the request as `action`.
    pub fn begin_as(self, action: Action) -> Context<S, P, Q> {
        self.0.admission.set_action(action);
        self.0
    }

    /// As [`Pending::begin`], and promises that the handler's first request to Redis
    /// changes nothing. See [`Begins::Reading`].
    pub fn begin_reading(self) -> Context<S, P, Q> {
        self.0.admission.set_begins(Begins::Reading);
        self.0
    }

    /// Has the request checked now, by a request to Redis of its own, for a handler that
    /// decides something before it needs Redis. Answers only if it may go on.
    pub async fn admit(self) -> Context<S, P, Q> {
        self.0.admitted().await;
        self.0
    }

    /// What the function's handlers share.
    pub fn state(&self) -> &S {
        &self.0.state
    }

    /// The parameters of the query.
    pub fn query(&self) -> &Q {
        &self.0.query
    }

    /// The clock of everything.
    pub fn clock(&self) -> &Clock {
        self.0.clock()
    }
}

/// The request as it came.
impl<S, P, Q> Deref for Pending<S, P, Q> {
    type Target = Request;

    fn deref(&self) -> &Request {
        &self.0.request
    }
}

/// A request that is worked on.
///
/// What a function is built from has no client that its state could hold:
///
/// ```compile_fail,E0616
/// # use shared::http::App;
/// # use shared::redis::Redis;
/// # use shared::start::{Start, StartError};
/// fn app(start: &Start) -> Result<App<Redis>, StartError> {
///     start.app(start.redis.clone(), Vec::new()) // the field `redis` is private
/// }
/// ```
pub struct Context<S, P = (), Q = ()> {
    /// What the function's handlers share.
    pub state: Arc<S>,
    /// The parameters of the path.
    pub path: P,
    /// The parameters of the query.
    pub query: Q,
    /// The request as it came.
    pub request: Request,
    redis: Redis,
    services: Arc<Services>,
    admission: Arc<Admission>,
}

impl<S, P, Q> Context<S, P, Q> {
    /// Redis, for commands that belong to no service.
    pub fn redis(&self) -> &Redis {
        &self.redis
    }

    /// The queue of scans.
    pub fn queue(&self) -> Queue {
        self.services.queue.on(&self.redis)
    }

    /// Every queue there is: that of scans, and that of looks into clips.
    pub fn queues(&self) -> Vec<Queue> {
        let queues = [&self.services.queue, &self.services.clips];
        queues.map(|queue| queue.on(&self.redis)).into()
    }

    /// Channels, clips and the settings of guilds.
    pub fn store(&self) -> ScanStore {
        self.services.store.on(&self.redis)
    }

    /// The parts of exports.
    pub fn exports(&self) -> ExportStore {
        self.services.exports.on(&self.redis)
    }

    /// The schedules of guilds and channels.
    pub fn schedules(&self) -> Schedules {
        self.services.schedules.on(&self.redis)
    }

    /// The webhooks of guilds, and what is to be told them.
    pub fn notices(&self) -> Notices {
        self.services.notices.on(&self.redis)
    }

    /// Files that come in parts.
    pub fn uploads(&self) -> Uploads {
        self.services.uploads.on(&self.redis)
    }

    /// Values of other services, cached.
    pub fn cache(&self) -> Cache {
        self.services.cache.on(&self.redis)
    }

    /// Counts by minute, hour and day.
    pub fn counters(&self) -> Counters {
        self.services.counters.on(&self.redis)
    }

    /// The sessions of people who signed in.
    pub fn sessions(&self) -> Sessions {
        self.services.sessions.on(&self.redis)
    }

    /// The events of scans.
    pub fn progress(&self) -> &Progress {
        &self.services.progress
    }

    /// Switches that operators set.
    pub fn flags(&self) -> &Flags {
        &self.services.flags
    }

    /// The keys of callers.
    pub fn auth(&self) -> &Auth {
        &self.services.auth
    }

    /// The month's commands.
    pub fn budget(&self) -> &CommandBudget {
        &self.services.budget
    }

    /// The clock of everything.
    pub fn clock(&self) -> &Clock {
        &self.services.clock
    }

    /// What every key of this deployment starts with.
    pub fn key_prefix(&self) -> &str {
        &self.services.key_prefix
    }

    /// Redis without the admission: nobody's limit is asked for, and no deadline is set.
    /// For the one route whose answer must not depend on a limit; a test names it.
    pub fn redis_without_admission(&self) -> &Redis {
        &self.services.redis
    }

    /// Waits until the request is known to be let in, for a handler that is about to refuse
    /// it for a reason that a repeated request does not have. Answers only if it is.
    pub async fn admitted(&self) {
        // Without commands this cannot fail: what goes wrong is a refusal.
        let _ = self.admission.pass(Vec::new()).await;
    }

    /// What the work is to do in its own step so that the request is answered with `reply`
    /// when it is sent again: `None` where it has no idempotency key. If the reply turns out
    /// to be another, that one is stored after the work, by a request of its own.
    pub fn store_with_work(&self, reply: &Reply) -> Option<Exchange> {
        self.admission.store_with_work(reply)
    }
}

/// The request as it came.
impl<S, P, Q> Deref for Context<S, P, Q> {
    type Target = Request;

    fn deref(&self) -> &Request {
        &self.request
    }
}
