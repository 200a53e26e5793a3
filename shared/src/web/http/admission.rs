//! Whether a request may do its work: whether its caller's session is valid, whether its
//! limit is used up, and whether it was done before.
//!
//! One request to Redis checks all of that, when the handler first needs Redis. If the
//! route is a read, the handler's first commands go along with the check, and a refusal
//! discards what they read. Otherwise they wait for the check, since a refused request must
//! not have changed anything. The exception are first commands that certainly change
//! nothing: they go along as well.
//!
//! A handler whose request is refused is cancelled where it waits for its first reply.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use super::limit_headers::add_limit_headers;
use super::{Action, ApiError, Begins, Reply, Role, Services};
use crate::clock::Deadline;
use crate::idempotency::{PendingRequest, RequestState, StoredReply};
use crate::rate_limiter::{Check, Reason, Rule, Verdict};
use crate::redis::{self, Error, Exchange, Pipeline, RawCommand, Redis, Replies, Scope, Slot};
use crate::session::{LOGIN, Token, Touch};
use crate::telemetry;

pub(super) struct Admission {
    pub services: Arc<Services>,
    /// Not guarded.
    pub redis: Redis,
    pub deadline: Deadline,
    pub caller: String,
    /// Whether the caller has shown neither a key nor a session.
    pub is_anonymous: bool,
    /// What the caller shows in the place of a key.
    pub session: Option<(Role, Token)>,
    /// Whether its method only reads: its own commands go with the check.
    pub is_read: bool,
    pub pending: Option<PendingRequest>,
    pub progress: Progress,
}

/// How far it is.
pub(super) struct Progress {
    /// Held while Redis is asked: what else the handler does at once waits.
    decision: tokio::sync::Mutex<Decision>,
    known: Mutex<Known>,
    refused: Notify,
    /// Whether the request has its reply.
    over: watch::Sender<bool>,
}

impl Progress {
    pub fn new(action: Action, begins: Begins) -> Progress {
        Progress {
            decision: tokio::sync::Mutex::default(),
            known: Mutex::new(Known {
                action,
                begins,
                check: None,
                verdict: None,
                has_begun: false,
                stored_with_work: None,
                refusal: None,
            }),
            refused: Notify::new(),
            over: watch::Sender::new(false),
        }
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Decision {
    #[default]
    Open,
    Admitted,
    Refused,
}

struct Known {
    action: Action,
    begins: Begins,
    /// The one call of this request: asked again, it does not count twice.
    check: Option<Check>,
    verdict: Option<Verdict>,
    /// Whether the pending request is this one's to complete.
    has_begun: bool,
    /// The reply that the work itself stores.
    stored_with_work: Option<StoredReply>,
    refusal: Option<Refusal>,
}

/// Why the handler does not go on.
pub(super) enum Refusal {
    Error(ApiError),
    /// It was answered before.
    Replay(StoredReply),
}

/// What became of the commands that wanted to pass.
pub(super) enum Passed {
    /// They are to be sent.
    Open,
    /// They went with the check.
    Sent(Vec<Result<redis::Reply, Error>>),
}

impl Admission {
    /// Lets the commands pass, as [`Passed`] says. Never returns when the request is
    /// refused.
    ///
    /// # Errors
    /// When the commands went with the check and failed with it, and when the request had
    /// its reply before they could pass.
    pub async fn pass(&self, commands: Vec<RawCommand>) -> Result<Passed, Error> {
        let mut decision = self.progress.decision.lock().await;
        if *decision == Decision::Open {
            let (refusal, passed) = self.ask(commands).await;
            let Some(refusal) = refusal else {
                *decision = Decision::Admitted;
                return passed;
            };
            *decision = Decision::Refused;
            self.known().refusal = Some(refusal);
            self.progress.refused.notify_one();
        }
        let is_admitted = *decision == Decision::Admitted;
        drop(decision);
        if !is_admitted {
            // Cancelled here: the app sees the refusal and drops the handler, as it may at
            // any other `await`. An error in its place could be caught by the handler,
            // which would go on without Redis: ask Discord, say. Only a task that the handler
            // left behind gets to the end of this, once nobody waits for it any more.
            let _ = self.progress.over.subscribe().wait_for(|over| *over).await;
            return Err(Error::Malformed("the request was refused".into()));
        }
        Ok(Passed::Open)
    }

    /// Waits for a refusal.
    pub async fn refused(&self) -> Refusal {
        loop {
            self.progress.refused.notified().await;
            if let Some(refusal) = self.known().refusal.take() {
                return refusal;
            }
        }
    }

    pub fn set_action(&self, action: Action) {
        self.known().action = action;
    }

    pub fn set_begins(&self, begins: Begins) {
        self.known().begins = begins;
    }

    /// Ends the wait of what a refused handler left behind.
    pub fn end(&self) {
        self.progress.over.send_replace(true);
    }

    /// Makes sure of the admission before the reply. A handler may have succeeded without
    /// Redis: then its caller's session must still be valid. And it may not have waited for
    /// the answer to its first commands, with which the check went. Never returns when the
    /// request is refused.
    pub async fn confirm(&self, has_succeeded: bool) {
        let was_asked = self.known().check.is_some();
        if was_asked || has_succeeded && self.session.is_some() {
            // Without commands this cannot fail: what goes wrong is a refusal.
            let _ = self.pass(Vec::new()).await;
        }
    }

    /// What stores `reply` in the same step as the work, if the request has an idempotency
    /// key.
    pub fn store_with_work(&self, reply: &Reply) -> Option<Exchange> {
        let (pending, stored) = (self.pending.as_ref()?, reply.to_stored()?);
        let exchange = self.services.idempotency.completion(pending, &stored);
        self.known().stored_with_work = Some(stored);
        Some(exchange)
    }

    /// Stores the reply under the idempotency key, unless the work has done so. A reply of
    /// 500 or more is not stored: the caller may try again.
    pub async fn finish(&self, reply: &Reply) {
        let (has_begun, by_work) = {
            let mut known = self.known();
            let has_begun = std::mem::take(&mut known.has_begun);
            (has_begun, known.stored_with_work.take())
        };
        let Some(pending) = self.pending.as_ref().filter(|_| has_begun) else {
            return;
        };
        let stored = reply.to_stored();
        if by_work.is_some() && stored == by_work {
            return;
        }
        let idempotency = &self.services.idempotency;
        let outcome = match stored {
            Some(stored) if stored.status < 500 => {
                idempotency.complete(&self.redis, pending, &stored).await
            }
            _ => idempotency.give_up(&self.redis, pending).await,
        };
        match outcome {
            Ok(true) => {}
            // Either that, or the work stored a reply that was lost on its way here.
            Ok(false) => tracing::warn!("a request outlived its time and was begun again"),
            Err(error) => {
                let error = telemetry::chain(&error);
                tracing::warn!(error, "a reply was not stored under its idempotency key");
            }
        }
    }

    /// Adds the headers of the limit to the reply.
    pub fn add_limit_headers(&self, reply: Reply) -> Reply {
        let verdict = self.known().verdict.clone();
        let now_ms = self.services.clock.now_ms();
        let (limiter, rule) = (&self.services.limiter, self.rule());
        add_limit_headers(reply, limiter, &rule, &self.caller, verdict, now_ms)
    }

    async fn ask(&self, commands: Vec<RawCommand>) -> (Option<Refusal>, Result<Passed, Error>) {
        // A handler may have given up on an earlier call.
        let earlier = self.known().check.clone();
        let is_first = earlier.is_none();
        let call = || self.services.limiter.call(&self.rule(), &self.caller, 1);
        let check = earlier.unwrap_or_else(call);
        self.known().check = Some(check.clone());
        if let Some(verdict) = self.services.limiter.blocked(&check) {
            return (self.judge(verdict), Ok(Passed::Open));
        }
        if self.is_anonymous
            && is_first
            && let Err(refusal) = self.services.anonymous.take(&self.services.clock)
        {
            return (Some(Refusal::Error(refusal)), Ok(Passed::Open));
        }
        let mut pipeline = Pipeline::new();
        let session = self.session.as_ref().map(|(_, token)| {
            self.services
                .sessions
                .add_touch(&mut pipeline, &LOGIN, token)
        });
        let slot = self.services.limiter.add_check(&mut pipeline, &check);
        let begin = self.pending.as_ref().map(|pending| {
            (
                pending,
                self.services.idempotency.add_begin(&mut pipeline, pending),
            )
        });
        let begins = self.known().begins;
        let is_harmless =
            self.is_read || begins == Begins::Reading || commands.iter().all(RawCommand::is_read);
        let together = is_harmless && !commands.is_empty();
        // What goes with the check of a change may be asked again without it.
        let stands_and_falls = together && self.is_read;
        let own: Vec<Slot<redis::Reply>> = commands
            .into_iter()
            .filter(|_| together)
            .map(|command| pipeline.add_raw(command))
            .collect();
        let mut replies = match pipeline.send(&*self.asked(stands_and_falls)).await {
            Ok(replies) => replies,
            Err(error) => return self.unanswered(&check, error, stands_and_falls),
        };
        let verdict = self.services.limiter.read_check(&mut replies, &check, slot);
        let refusal = match (self.judge(verdict), session) {
            (None, Some(touch)) => self.recognise(&mut replies, touch),
            (refusal, _) => refusal,
        };
        let refusal = match begin {
            Some((pending, slot)) => self.begin(&mut replies, pending, slot, refusal).await,
            None => refusal,
        };
        let passed = if together {
            Passed::Sent(own.into_iter().map(|slot| replies.take(slot)).collect())
        } else {
            Passed::Open
        };
        (refusal, Ok(passed))
    }

    /// Redis for the check. Where the handler's commands do not go along, the check has a
    /// shorter deadline: it may be skipped, they may not.
    fn asked(&self, together: bool) -> Redis {
        if together {
            return self.redis.clone();
        }
        let time = self
            .services
            .config
            .limits
            .patience
            .min(self.deadline.remaining());
        self.redis.scoped(Scope {
            deadline: Some(self.services.clock.deadline(time)),
            sync_token: None,
        })
    }

    /// Redis did not answer. Most actions then go on without a limit. But a session counts as
    /// valid, and a request as new, only if Redis says so.
    fn unanswered(
        &self,
        check: &Check,
        error: Error,
        together: bool,
    ) -> (Option<Refusal>, Result<Passed, Error>) {
        let refusal = self.judge(self.services.limiter.unanswered(check, &error));
        match refusal {
            Some(refusal) => (Some(refusal), Ok(Passed::Open)),
            None if self.session.is_some() || self.pending.is_some() => {
                (Some(Refusal::Error(error.into())), Ok(Passed::Open))
            }
            None if together => (None, Err(error)),
            None => (None, Ok(Passed::Open)),
        }
    }

    /// The refusal of a caller whose session has ended.
    fn recognise(&self, replies: &mut Replies, touch: Touch) -> Option<Refusal> {
        let (role, _) = self.session.as_ref()?;
        match self.services.sessions.read_touch::<()>(replies, touch) {
            Ok(Some(session)) if session.user == role.name() => None,
            Ok(_) => Some(Refusal::Error(ApiError::session_expired())),
            Err(error) => Some(Refusal::Error(error.into())),
        }
    }

    /// Stores the verdict for the reply's headers, and returns the refusal if it is one.
    fn judge(&self, verdict: Verdict) -> Option<Refusal> {
        let now_ms = self.services.clock.now_ms();
        let error = (!verdict.admitted).then(|| refusal(&verdict, now_ms));
        self.known().verdict = Some(verdict);
        error.map(Refusal::Error)
    }

    async fn begin(
        &self,
        replies: &mut Replies,
        pending: &PendingRequest,
        slot: Slot<Option<String>>,
        refusal: Option<Refusal>,
    ) -> Option<Refusal> {
        let begun = self.services.idempotency.read_begin(replies, pending, slot);
        match (begun, refusal) {
            (Ok(RequestState::New), Some(refusal)) => {
                // The key is freed: the caller may send the same request again later.
                if let Err(error) = self
                    .services
                    .idempotency
                    .give_up(&self.redis, pending)
                    .await
                {
                    let error = telemetry::chain(&error);
                    tracing::warn!(error, "a refused request still holds its idempotency key");
                }
                Some(refusal)
            }
            (_, Some(refusal)) => Some(refusal),
            (Ok(RequestState::New), None) => {
                self.known().has_begun = true;
                None
            }
            (Ok(RequestState::Done(reply)), None) => Some(Refusal::Replay(reply)),
            (Ok(RequestState::InProgress { .. }), None) => {
                Some(Refusal::Error(ApiError::in_progress()))
            }
            (Ok(RequestState::Other), None) => Some(Refusal::Error(ApiError::key_used())),
            (Err(error), None) => Some(Refusal::Error(error.into())),
        }
    }

    fn rule(&self) -> Rule {
        let action = self.known().action;
        action.rule(&self.services.config.limits)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.progress
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error of a verdict that does not admit.
pub(super) fn refusal(verdict: &Verdict, now_ms: i64) -> ApiError {
    if verdict.reason == Reason::Unavailable {
        return ApiError::limit_unknown();
    }
    let seconds = verdict.retry_after_secs(now_ms);
    ApiError::too_many_requests(seconds, verdict.reset_at_ms)
}
