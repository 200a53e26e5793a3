//! A function: its state, its routes, and the way from an event to a reply.

use std::sync::Arc;
use std::time::Duration;

use lambda_http::http::{Method, Response};
use lambda_http::{Body, service_fn};
use tracing::Instrument as _;

use super::admission::{Admission, Progress, Refusal};
use super::context::Arrived;
use super::cors::{self, Origin};
use super::guard::GuardedRedis;
use super::guesses;
use super::identity::identity;
use super::limit_headers::add_limit_headers;
use super::paths::{self, Parameters, match_path};
use super::{
    Access, Action, ApiError, Caller, EntityTags, ErrorCode, FieldCode, FieldError, Reply, Request,
    Route, Services,
};
use crate::clock::Deadline;
use crate::idempotency::PendingRequest;
use crate::panics::caught;
use crate::redis::Scope;
use crate::telemetry::{self, Invocations};

/// The most time a route takes where the invocation's deadline is not plausible. API Gateway
/// gives up after 30 s.
const BUDGET: Duration = Duration::from_secs(29);

const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The part of the invocation's time reserved for replying with an error.
const RESERVE: Duration = Duration::from_millis(500);

/// A function that answers routes.
pub struct App<S> {
    state: Arc<S>,
    pub(super) routes: Vec<Route<S>>,
    pub(super) services: Arc<Services>,
    invocations: Invocations,
}

impl<S: Send + Sync + 'static> App<S> {
    pub(crate) fn new(services: Arc<Services>, state: S, routes: Vec<Route<S>>) -> App<S> {
        App {
            state: Arc::new(state),
            routes,
            services,
            invocations: Invocations::default(),
        }
    }

    /// The same, whose metrics report what the cache counted.
    #[must_use]
    pub fn reporting_the_cache(self) -> App<S> {
        self.services.metrics.watch(&self.services.cache);
        self
    }

    pub(super) async fn answer(&self, request: lambda_http::Request) -> Response<Body> {
        let request = Request::new(request);
        let trace = request.trace();
        let span = self.invocations.span(&request.id(), trace.as_ref());
        self.reply(request).instrument(span).await
    }

    async fn reply(&self, request: Request) -> Response<Body> {
        let started = self.services.clock.elapsed();
        let request_id = request.id();
        let origin = Origin::of(&request, &self.services.config);
        let is_preflight = request.method() == Method::OPTIONS && origin.is_some();
        let (method, path) = (request.method().clone(), request.path().to_owned());

        let reply = if is_preflight {
            self.preflight(&path)
        } else {
            // Concurrent with the work, since nothing runs after the reply.
            let saving = self.services.budget.save();
            let (reply, ()) = tokio::join!(caught(self.route(request)), saving);
            reply.unwrap_or_else(|panicked| error_reply(ApiError::internal(panicked), &request_id))
        };
        let duration_ms = (self.services.clock.elapsed() - started).as_millis() as u64;
        let status = reply.status().as_u16();
        tracing::info!(request_id, %method, path, status, duration_ms, "request");
        self.measure(&request_id, status, started);
        let reply = reply.with_header("x-request-id", &request_id);
        let reply = match method {
            Method::HEAD => reply.without_body(),
            _ => reply,
        };
        match origin {
            Some(origin) => origin.mark(reply).into_response(),
            None => reply.into_response(),
        }
    }

    fn measure(&self, request_id: &str, status: u16, started: Duration) {
        let metrics = &self.services.metrics;
        if !metrics.is_on() {
            return;
        }
        let mut event = metrics.event();
        event.count("Requests", 1);
        event.count("Errors", u64::from(status >= 500));
        event.count("Refusals", u64::from(status == 429));
        event.count("Unauthorized", u64::from(status == 401));
        let took = self.services.clock.elapsed().saturating_sub(started);
        event.milliseconds("Latency", took.as_secs_f64() * 1000.0);
        event.property("requestId", request_id);
        metrics.emit(&event);
    }

    async fn route(&self, request: Request) -> Reply {
        match self.enter(&request).await {
            Ok(entry) => self.run(entry, request).await,
            Err(error) => {
                let Services {
                    limiter, config, ..
                } = &*self.services;
                let route = self.find(request.method(), request.path()).ok();
                let by_method = Action::of(request.method());
                let action = route.map_or(by_method, |(route, _)| route.counts_as);
                let rule = action.rule(&config.limits);
                let caller = identity(&self.services.auth.known_caller(&request), &request);
                let reply = error_reply(error, &request.id());
                let now_ms = self.services.clock.now_ms();
                add_limit_headers(reply, limiter, &rule, &caller, None, now_ms)
            }
        }
    }

    /// Finds the route and checks the caller, as far as the request alone shows.
    async fn enter(&self, request: &Request) -> Result<Entry<'_, S>, ApiError> {
        let (route, parameters) = self.find(request.method(), request.path())?;
        request.check_headers()?;
        let config = &self.services.config;
        let caller = guesses::caller(&self.services, route.access, request).await?;
        if cors::is_foreign(request, &caller, config) {
            return Err(ApiError::foreign_origin());
        }
        let caller = match (route.access, caller) {
            // A session that is over does not shut out of what is open to all.
            (Access::Open, Caller::Session(..)) => Caller::Anonymous,
            (_, caller) => caller,
        };
        caller.admit(route.access, request)?;
        let clock = &self.services.clock;
        let time = Deadline::of_invocation(clock, request.deadline_ms(), BUDGET).remaining();
        Ok(Entry {
            pending: self.pending(request, &caller, time)?,
            known: match is_read(request.method()) {
                true => request.entity_tags("if-none-match")?,
                false => None,
            },
            deadline: clock.deadline(time.saturating_sub(RESERVE)),
            route,
            parameters,
            caller,
        })
    }

    /// Runs the handler, whose way to Redis is through the admission.
    async fn run(&self, entry: Entry<'_, S>, request: Request) -> Reply {
        let services = &self.services;
        let redis = services.redis.scoped(Scope {
            deadline: Some(entry.deadline.clone()),
            sync_token: request.sync_token().map(str::to_owned),
        });
        let (request_id, is_read) = (request.id(), is_read(request.method()));
        let admission = Arc::new(Admission {
            services: services.clone(),
            redis: redis.clone(),
            deadline: entry.deadline,
            caller: identity(&entry.caller, &request),
            is_anonymous: entry.caller.role().is_none(),
            is_read,
            pending: entry.pending,
            session: match entry.caller {
                Caller::Session(role, token) => Some((role, token)),
                _ => None,
            },
            progress: Progress::new(entry.route.counts_as, entry.route.begins),
        });
        let arrived = Arrived {
            state: self.state.clone(),
            request,
            path: entry.parameters,
            redis: Arc::new(GuardedRedis::new(admission.clone())),
            services: services.clone(),
            admission: admission.clone(),
        };
        let reply = tokio::select! {
            biased;
            refusal = admission.refused() => match refusal {
                Refusal::Error(error) => error_reply(error, &request_id),
                Refusal::Replay(stored) => Reply::from_stored(stored),
            },
            reply = async {
                // Caught here as well as around the route: a panic must not leave the
                // request's idempotency key in progress.
                let work = caught((entry.route.run)(arrived));
                let outcome = work.await.unwrap_or_else(|panicked| Err(ApiError::internal(panicked)));
                admission.confirm(outcome.is_ok()).await;
                let reply = match outcome {
                    Ok(reply) if is_read => reply.unless_known(entry.known.as_ref()),
                    Ok(reply) => reply,
                    Err(error) => error_reply(error, &request_id),
                };
                admission.finish(&reply).await;
                reply
            } => reply,
        };
        admission.end();
        let reply = admission.add_limit_headers(reply);
        match redis.sync_token() {
            Some(token) => reply.with_header("x-sync-token", &token),
            None => reply,
        }
    }

    /// The idempotency key of a request.
    ///
    /// # Errors
    /// 400 where a key is none, or would not be heeded: nobody is to rely on it in vain.
    fn pending(
        &self,
        request: &Request,
        caller: &Caller,
        time: Duration,
    ) -> Result<Option<PendingRequest>, ApiError> {
        let Some(key) = request.header(IDEMPOTENCY_KEY) else {
            return Ok(None);
        };
        let refused = |detail| FieldError::header(IDEMPOTENCY_KEY, FieldCode::Invalid, detail);
        if request.method() != Method::POST {
            return Err(refused("only POST takes this header; send the request without it").into());
        }
        // Nobody may read a reply to somebody else.
        let Some(role) = caller.role() else {
            return Err(refused(
                "this route does not take this header; send the request without it",
            )
            .into());
        };
        if !(1..=255).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(refused("expected 1 to 255 visible characters").into());
        }
        let parts = request.meaning();
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let idempotency = &self.services.idempotency;
        let scope = role.name();
        Ok(Some(idempotency.pending(scope, key, &parts, time)))
    }

    /// HEAD is answered as GET is.
    pub(super) fn find(
        &self,
        method: &Method,
        path: &str,
    ) -> Result<(&Route<S>, Parameters), ApiError> {
        let wanted = match *method {
            Method::HEAD => &Method::GET,
            _ => method,
        };
        for route in self.routes.iter().filter(|route| route.method == *wanted) {
            if let Some(parameters) = match_path(route.path, path) {
                return Ok((route, parameters));
            }
        }
        let methods = self.methods_of(path);
        if methods.is_empty() {
            let detail = "no route has this path; the OpenAPI document lists all routes";
            return Err(ApiError::new(ErrorCode::RouteNotFound, detail));
        }
        Err(ApiError::method_not_allowed(methods.join(", ")))
    }

    /// The methods a path has, including those of other functions.
    fn methods_of(&self, path: &str) -> Vec<&'static str> {
        let routes = self.routes.iter();
        paths::methods(path, routes.map(|route| (&route.method, route.path)))
    }

    fn preflight(&self, path: &str) -> Reply {
        cors::preflight(&self.methods_of(path))
    }
}

/// A request that found its route.
struct Entry<'a, S> {
    route: &'a Route<S>,
    parameters: Parameters,
    caller: Caller,
    pending: Option<PendingRequest>,
    /// What a reader has already.
    known: Option<EntityTags>,
    deadline: Deadline,
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

fn error_reply(error: ApiError, request_id: &str) -> Reply {
    if error.status().is_server_error() {
        let error = telemetry::chain(&error);
        tracing::error!(request_id, error, "request failed");
    }
    error.into_reply(request_id)
}

/// Serves an app as a Lambda function until the environment ends.
///
/// # Errors
/// When the runtime itself fails.
pub async fn run<S: Send + Sync + 'static>(app: App<S>) -> Result<(), lambda_http::Error> {
    let app = &app;
    let handler = service_fn(|request| async move {
        Ok::<_, std::convert::Infallible>(app.answer(request).await)
    });
    lambda_http::run(handler).await
}
