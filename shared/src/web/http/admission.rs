//! Whether a request may do its work: its caller's session, its limit, and whether it
//! was done before.
//!
//! Asked in one request, when the handler first needs Redis. Of a read, the handler's
//! own commands go with it, and a refusal discards what was read. Of anything else they
//! wait for the answer, since a refused request must not have changed anything; only if
//! the handler begins with commands that certainly change nothing do these go with it.
//!
//! A handler that may not go on is left waiting where it asked, and dropped.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::standing::mark;
use super::{Action, ApiError, Reply, Role};
use crate::clock::Deadline;
use crate::config::LimitsConfig;
use crate::idempotency::{Attempt, Begun, Idempotency, StoredReply};
use crate::rate_limiter::{Check, RateLimiter, Reason, Rule, Verdict};
use crate::redis::{self, Error, Exchange, Pipeline, RawCommand, Redis, Replies, Scope, Slot};
use crate::session::{LOGIN, Sessions, Token, Touch};
use crate::telemetry;

pub(super) struct Admission {
    pub limiter: RateLimiter,
    pub idempotency: Idempotency,
    pub limits: LimitsConfig,
    pub clock: crate::clock::Clock,
    /// Not through the gate.
    pub redis: Redis,
    pub deadline: Deadline,
    pub caller: String,
    /// Whether the caller has shown neither a key nor a session.
    pub is_anonymous: bool,
    pub services: super::Services,
    /// What the caller shows in the place of a key.
    pub session: Option<(Role, Token)>,
    pub sessions: Sessions,
    /// Unless the handler says otherwise. The own commands of a read go with the check.
    pub action: Action,
    pub attempt: Option<Attempt>,
    pub state: State,
}

/// How far it is.
#[derive(Default)]
pub(super) struct State {
    /// Held while Redis is asked: what else the handler does at once waits.
    gate: tokio::sync::Mutex<Gate>,
    known: Mutex<Known>,
    refused: Notify,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Gate {
    #[default]
    Unasked,
    Open,
    Shut,
}

#[derive(Default)]
struct Known {
    action: Option<Action>,
    /// Whether the handler's first commands go with the check also if it is no read.
    reads_first: bool,
    verdict: Option<Verdict>,
    /// Whether the attempt is this request's to complete.
    begun: bool,
    /// The reply that the work itself stores.
    foreseen: Option<StoredReply>,
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
    /// Lets the commands pass, as [`Passed`] says; never answers when the request is
    /// refused.
    ///
    /// # Errors
    /// When the commands went with the check and failed with it.
    pub async fn pass(&self, commands: Vec<RawCommand>) -> Result<Passed, Error> {
        let mut gate = self.state.gate.lock().await;
        if *gate == Gate::Unasked {
            let (refusal, passed) = self.ask(commands).await;
            let Some(refusal) = refusal else {
                *gate = Gate::Open;
                return passed;
            };
            *gate = Gate::Shut;
            self.known().refusal = Some(refusal);
            self.state.refused.notify_one();
        }
        let is_open = *gate == Gate::Open;
        drop(gate);
        if !is_open {
            std::future::pending::<()>().await;
        }
        Ok(Passed::Open)
    }

    /// Waits for a refusal.
    pub async fn refused(&self) -> Refusal {
        loop {
            self.state.refused.notified().await;
            if let Some(refusal) = self.known().refusal.take() {
                return refusal;
            }
        }
    }

    pub fn set_action(&self, action: Action) {
        self.known().action = Some(action);
    }

    pub fn read_first(&self) {
        self.known().reads_first = true;
    }

    /// Waits until the caller is known to be there, for what a handler did without
    /// Redis; never answers when the request is refused.
    pub async fn confirm(&self) {
        if self.session.is_some() {
            // Alone, it cannot fail: that is a refusal.
            let _ = self.pass(Vec::new()).await;
        }
    }

    /// What stores `reply` as a part of the work, if the request is to be answered alike
    /// again.
    pub fn foresee(&self, reply: &Reply) -> Option<Exchange> {
        let (attempt, stored) = (self.attempt.as_ref()?, reply.to_stored()?);
        let exchange = self.idempotency.completion(attempt, &stored);
        self.known().foreseen = Some(stored);
        Some(exchange)
    }

    /// Remembers what was answered, if the request is to be answered alike again and the
    /// work did not. A failure of ours is not: that may be tried again.
    pub async fn finish(&self, reply: &Reply) {
        let (begun, foreseen) = {
            let mut known = self.known();
            (std::mem::take(&mut known.begun), known.foreseen.take())
        };
        let Some(attempt) = self.attempt.as_ref().filter(|_| begun) else {
            return;
        };
        let stored = reply.to_stored();
        if foreseen.is_some() && stored == foreseen {
            return;
        }
        let outcome = match stored {
            Some(stored) if stored.status < 500 => {
                self.idempotency
                    .complete(&self.redis, attempt, &stored)
                    .await
            }
            _ => self.idempotency.give_up(&self.redis, attempt).await,
        };
        match outcome {
            Ok(true) => {}
            // Or its work was done and stored a reply that did not get here.
            Ok(false) => tracing::warn!("a request outlived its time and was begun again"),
            Err(error) => {
                let error = telemetry::chain(&error);
                tracing::warn!(error, "a reply was not remembered");
            }
        }
    }

    /// How the caller stands, on the reply.
    pub fn mark(&self, reply: Reply) -> Reply {
        let verdict = self.known().verdict.clone();
        let now_ms = self.clock.now_ms();
        mark(
            reply,
            &self.limiter,
            &self.rule(),
            &self.caller,
            verdict,
            now_ms,
        )
    }

    async fn ask(&self, commands: Vec<RawCommand>) -> (Option<Refusal>, Result<Passed, Error>) {
        let check = self.limiter.call(&self.rule(), &self.caller, 1);
        if let Some(verdict) = self.limiter.blocked(&check) {
            return (self.judge(verdict), Ok(Passed::Open));
        }
        if self.is_anonymous
            && let Err(refusal) = self.services.anonymous.take(&self.services)
        {
            return (Some(Refusal::Error(refusal)), Ok(Passed::Open));
        }
        let mut pipeline = Pipeline::new();
        let session = self
            .session
            .as_ref()
            .map(|(_, token)| self.sessions.add_touch(&mut pipeline, &LOGIN, token));
        let slot = self.limiter.add_check(&mut pipeline, &check);
        let begin = self
            .attempt
            .as_ref()
            .map(|attempt| (attempt, self.idempotency.add_begin(&mut pipeline, attempt)));
        let is_read = self.action == Action::Read;
        let harmless =
            is_read || self.known().reads_first || commands.iter().all(RawCommand::is_read);
        let together = harmless && !commands.is_empty();
        // What goes with the check of a change may be asked again without it.
        let stands_and_falls = together && is_read;
        let own: Vec<Slot<redis::Reply>> = commands
            .into_iter()
            .filter(|_| together)
            .map(|command| pipeline.add_raw(command))
            .collect();
        let mut replies = match pipeline.send(&*self.asked(stands_and_falls)).await {
            Ok(replies) => replies,
            Err(error) => return self.unanswered(&check, error, stands_and_falls),
        };
        let verdict = self.limiter.read_check(&mut replies, &check, slot);
        let refusal = match (self.judge(verdict), session) {
            (None, Some(touch)) => self.recognise(&mut replies, touch),
            (refusal, _) => refusal,
        };
        let refusal = match begin {
            Some((attempt, slot)) => self.begin(&mut replies, attempt, slot, refusal).await,
            None => refusal,
        };
        let passed = if together {
            Passed::Sent(own.into_iter().map(|slot| replies.take(slot)).collect())
        } else {
            Passed::Open
        };
        (refusal, Ok(passed))
    }

    /// A check that nothing depends on has a time of its own.
    fn asked(&self, together: bool) -> Redis {
        if together {
            return self.redis.clone();
        }
        let time = self.limits.patience.min(self.deadline.remaining());
        self.redis.scoped(Scope {
            deadline: Some(self.clock.deadline(time)),
            sync_token: None,
        })
    }

    /// Redis did not answer at all: the action decides, but nobody is believed to be
    /// signed in, and what must happen once does not happen, on a guess.
    fn unanswered(
        &self,
        check: &Check,
        error: Error,
        together: bool,
    ) -> (Option<Refusal>, Result<Passed, Error>) {
        let refusal = self.judge(self.limiter.unanswered(check, &error));
        match refusal {
            Some(refusal) => (Some(refusal), Ok(Passed::Open)),
            None if self.session.is_some() || self.attempt.is_some() => {
                (Some(Refusal::Error(error.into())), Ok(Passed::Open))
            }
            None if together => (None, Err(error)),
            None => (None, Ok(Passed::Open)),
        }
    }

    /// The refusal of a caller whose session is over.
    fn recognise(&self, replies: &mut Replies, touch: Touch) -> Option<Refusal> {
        let (role, _) = self.session.as_ref()?;
        match self.sessions.read_touch::<()>(replies, touch) {
            Ok(Some(session)) if session.user == role.name() => None,
            Ok(_) => Some(Refusal::Error(ApiError::unauthorized())),
            Err(error) => Some(Refusal::Error(error.into())),
        }
    }

    /// Keeps the verdict; the refusal, if it is one.
    fn judge(&self, verdict: Verdict) -> Option<Refusal> {
        let now_ms = self.clock.now_ms();
        let error = (!verdict.admitted).then(|| refusal(&verdict, now_ms));
        self.known().verdict = Some(verdict);
        error.map(Refusal::Error)
    }

    async fn begin(
        &self,
        replies: &mut Replies,
        attempt: &Attempt,
        slot: Slot<Option<String>>,
        refusal: Option<Refusal>,
    ) -> Option<Refusal> {
        let begun = self.idempotency.read_begin(replies, attempt, slot);
        match (begun, refusal) {
            (Ok(Begun::New), Some(refusal)) => {
                // It does not happen now, and may be asked for again.
                if let Err(error) = self.idempotency.give_up(&self.redis, attempt).await {
                    let error = telemetry::chain(&error);
                    tracing::warn!(error, "a refused request holds its key");
                }
                Some(refusal)
            }
            (_, Some(refusal)) => Some(refusal),
            (Ok(Begun::New), None) => {
                self.known().begun = true;
                None
            }
            (Ok(Begun::Done(reply)), None) => Some(Refusal::Replay(reply)),
            (Ok(Begun::InProgress { .. }), None) => Some(Refusal::Error(ApiError::in_progress())),
            (Ok(Begun::Other), None) => Some(Refusal::Error(ApiError::key_used())),
            (Err(error), None) => Some(Refusal::Error(error.into())),
        }
    }

    fn rule(&self) -> Rule {
        let action = self.known().action.unwrap_or(self.action);
        action.rule(&self.limits)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.state
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

/// What a handler may say of its own admission.
impl super::Request {
    /// Counts this request as `action`, to be said before Redis is used.
    pub fn limit_as(&self, action: Action) {
        if let Some(admission) = self.admission() {
            admission.set_action(action);
        }
    }

    /// Says that the handler's first request to Redis only reads, so that it may go with
    /// the check although the request is to change something.
    pub fn reads_first(&self) {
        if let Some(admission) = self.admission() {
            admission.read_first();
        }
    }

    /// What the work is to do in its own step so that the request is answered with `reply`
    /// ever after: `None` where nobody wants that. If the reply turns out to be another, it
    /// is stored after the work, by a request of its own.
    pub fn foresee(&self, reply: &Reply) -> Option<Exchange> {
        self.admission()?.foresee(reply)
    }

    /// Waits until the request may go on, for a handler that is about to refuse it for a
    /// reason that a repeated request does not have. Answers only if it may.
    pub async fn admitted(&self) {
        if let Some(admission) = self.admission() {
            let _ = admission.pass(Vec::new()).await;
        }
    }

    /// Counts this request as `action` now, in a request of its own, for a handler
    /// that decides without Redis. Answers only if it may go on.
    pub async fn admit(&self, action: Action) {
        if let Some(admission) = self.admission() {
            admission.set_action(action);
            // Alone, it cannot fail: that is a verdict.
            let _ = admission.pass(Vec::new()).await;
        }
    }
}

pub(super) type Shared = Arc<Admission>;
