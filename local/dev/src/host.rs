//! The HTTP server that hosts the functions: the gateway, Lambda's invoke call and the
//! schedule.
//!
//! It listens on the local machine, where any web page open in a browser can send it
//! requests. It therefore refuses requests from origins that are not allowed before any
//! code runs, and does not read a large body until the caller has shown a valid key.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use hyper::body::Body as _;
use serde_json::{Value, json};
use shared::clock::Deadline;
use shared::http::{ErrorCode, Sender};
use shared::waker::BY_ENQUEUE;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use upstash_local::{Guard, Refusal};

use crate::functions::{DRAIN_TIMEOUT, Functions};
use crate::gateway::{Gateway, Incoming};
use crate::listener;

/// API Gateway's body limit, in bytes.
const LARGEST_REQUEST: usize = 10 * 1024 * 1024;

/// Body limit in bytes for callers without a key, who can only sign in, and the time
/// within which the body has to arrive.
const LARGEST_OF_STRANGERS: usize = 16 * 1024;
const TIME_OF_STRANGERS: Duration = Duration::from_secs(10);

/// The OpenAPI document. A test compares it with the routes.
const OPENAPI: &str = include_str!("../../../docs/openapi.json");

/// Path prefix of Lambda's invoke call.
const INVOKE: &str = "/2015-03-31/";

/// Interval at which the schedule starts a drainer.
const SCHEDULE: Duration = Duration::from_secs(60);

/// Maximum number of drainers at once. More are not needed: a running drainer keeps
/// looking for jobs.
const DRAINERS: usize = 10;

/// How long drainers have to hand back their work when the host stops.
const STOPPING: Duration = Duration::from_secs(8);

/// A running host.
pub struct Host {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    serving: tokio::task::JoinHandle<()>,
    tasks: JoinSet<()>,
}

struct Shared {
    guard: Guard,
    gateway: Gateway,
    functions: Functions,
    drainers: Semaphore,
    /// Whether one wake-up is already waiting for a drainer to finish.
    is_one_waiting: AtomicBool,
    running: Mutex<Vec<Deadline>>,
    drains: Mutex<JoinSet<()>>,
}

impl Host {
    /// Serves `functions` on `listener`, with or without the schedule.
    ///
    /// # Errors
    /// If the listener has no address.
    pub fn start(
        listener: TcpListener,
        functions: Functions,
        schedule: bool,
    ) -> std::io::Result<Host> {
        Host::known_as(&[], listener, functions, schedule)
    }

    /// Like [`Host::start`], but also accepts requests for the given host names.
    ///
    /// # Errors
    /// If the listener has no address.
    pub fn known_as(
        names: &[String],
        listener: TcpListener,
        functions: Functions,
        schedule: bool,
    ) -> std::io::Result<Host> {
        let address = listener.local_addr()?;
        let clock = functions.clock.clone();
        let shared = Arc::new(Shared {
            guard: Guard::new(address.ip(), names),
            gateway: Gateway::new(functions.clone()),
            functions,
            drainers: Semaphore::new(DRAINERS),
            is_one_waiting: AtomicBool::new(false),
            running: Mutex::default(),
            drains: Mutex::default(),
        });
        let app = axum::Router::new()
            .route("/2015-03-31/functions/{name}/invocations", post(invoke))
            .route("/", get(welcome))
            .route("/openapi.json", get(openapi))
            .fallback(route)
            .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
            .layer(middleware::from_fn_with_state(shared.clone(), guarded))
            .with_state(shared.clone());
        let mut tasks = JoinSet::new();
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(listener::serve(listener, app, clock, stopped));
        if schedule {
            let shared = shared.clone();
            tasks.spawn(async move {
                loop {
                    shared.start_drain(json!({ "source": "aws.scheduler" }));
                    shared.functions.clock.sleep(SCHEDULE).await;
                }
            });
        }
        Ok(Host {
            address,
            shared,
            stop,
            serving,
            tasks,
        })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops accepting requests and waits for drainers to hand back their work.
    pub async fn stop(mut self) {
        self.tasks.abort_all();
        let _ = self.stop.send(true);
        for deadline in lock(&self.shared.running).iter() {
            deadline.cut_to(STOPPING);
        }
        let mut drains = std::mem::take(&mut *lock(&self.shared.drains));
        let all = async { while drains.join_next().await.is_some() {} };
        if tokio::time::timeout(STOPPING, all).await.is_err() {
            tracing::warn!(
                "a drainer did not stop in time; its jobs will be retried when their leases expire"
            );
        }
        let _ = self.serving.await;
    }
}

impl Shared {
    /// Starts a drainer in the background, unless enough are running.
    fn start_drain(self: &Arc<Self>, event: Value) {
        let shared = self.clone();
        let mut drains = lock(&self.drains);
        // Discard the ones that have finished.
        while drains.try_join_next().is_some() {}
        drains.spawn(async move {
            let _place = match shared.drainers.try_acquire() {
                Ok(place) => place,
                Err(_) if event["source"] == BY_ENQUEUE => {
                    // Lambda would queue such an invocation until capacity is free. Here
                    // one waiting wake-up is enough: when it runs, it sees the jobs of
                    // all the others.
                    if shared.is_one_waiting.swap(true, Ordering::SeqCst) {
                        return;
                    }
                    let Ok(place) = shared.drainers.acquire().await else {
                        return;
                    };
                    shared.is_one_waiting.store(false, Ordering::SeqCst);
                    place
                }
                Err(_) => return,
            };
            if let Err(error) = shared.drain(event).await {
                tracing::error!(error = shared::telemetry::chain(&error), "drain failed");
            }
        });
    }

    async fn drain(&self, event: Value) -> Result<Value, drain::DrainError> {
        let deadline = self.functions.clock.deadline(DRAIN_TIMEOUT);
        lock(&self.running).push(deadline.clone());
        let report = self.functions.drain.run(&event, &deadline).await;
        lock(&self.running).retain(|other| !other.is(&deadline));
        Ok(serde_json::to_value(report?).unwrap_or_default())
    }
}

/// Refuses requests that a page of another site may have sent.
async fn guarded(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let (method, uri, headers) = (request.method(), request.uri(), request.headers());
    let is_invoke = uri.path().starts_with(INVOKE);
    let checked = match is_invoke {
        true => shared.guard.check_control(method, uri, headers),
        false => shared.guard.check_open(uri, headers, |origin| {
            let origins = &shared.functions.origins;
            origins.iter().any(|named| named == origin || named == "*")
        }),
    };
    match checked {
        Ok(()) => next.run(request).await,
        Err(refusal) if is_invoke => {
            let message = refusal.to_string();
            let body = json!({ "Type": "User", "message": message });
            reply(StatusCode::FORBIDDEN, &body)
        }
        Err(refusal) => refused(&refusal),
    }
}

fn refused(refusal: &Refusal) -> Response<Body> {
    let code = match refusal {
        Refusal::ForeignPage => ErrorCode::ForeignOrigin,
        _ => ErrorCode::UnknownHost,
    };
    let body = json!({
        "type": code.problem_type(),
        "title": "Forbidden",
        "status": 403,
        "detail": refusal.to_string(),
        "code": code.name(),
        "requestId": ulid::Ulid::generate().to_string(),
        "error": "Forbidden",
    });
    let mut response = reply(StatusCode::FORBIDDEN, &body);
    let problem = header::HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, problem);
    response
}

/// Says where to go from here, to whoever opens the host's address. It shows no key.
async fn welcome() -> impl IntoResponse {
    axum::response::Html(include_str!("welcome.html"))
}

/// Serves the OpenAPI document.
async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI)
}

/// Serves a route.
async fn route(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let mut incoming = Incoming {
        method: head.method,
        uri: head.uri,
        headers: head.headers,
        body: Vec::new(),
        source_ip: peer.ip().to_string(),
    };
    match read_body(&shared.gateway, &incoming, body).await {
        Some(body) => incoming.body = body,
        None => {
            return reply(
                StatusCode::PAYLOAD_TOO_LARGE,
                &json!({ "message": "Request Too Long" }),
            );
        }
    }
    match shared.gateway.answer(incoming).await {
        Ok(outgoing) => {
            let mut response = Response::builder().status(outgoing.status);
            for (name, value) in outgoing.headers {
                response = response.header(name, value);
            }
            response
                .body(Body::from(outgoing.body))
                .unwrap_or_else(|_| {
                    reply(
                        StatusCode::BAD_GATEWAY,
                        &json!({ "message": "Bad Gateway" }),
                    )
                })
        }
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "a function failed");
            reply(
                StatusCode::INTERNAL_SERVER_ERROR,
                &json!({ "message": "Internal Server Error" }),
            )
        }
    }
}

/// Reads the body of a request. Returns an empty body if the function will refuse the
/// caller anyway, and `None` if the body is too large or does not arrive in time.
async fn read_body(gateway: &Gateway, incoming: &Incoming, body: Body) -> Option<Vec<u8>> {
    if body.is_end_stream() {
        return Some(Vec::new());
    }
    let reading = match gateway.sender(incoming).await {
        Sender::Known => axum::body::to_bytes(body, LARGEST_REQUEST).await,
        Sender::Stranger => {
            let reading = axum::body::to_bytes(body, LARGEST_OF_STRANGERS);
            tokio::time::timeout(TIME_OF_STRANGERS, reading)
                .await
                .ok()?
        }
        Sender::Refused => return Some(Vec::new()),
    };
    reading.ok().map(|body| body.to_vec())
}

/// Lambda's invoke call.
async fn invoke(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let event: Value = match body.is_empty() {
        true => json!({}),
        false => match serde_json::from_slice(&body) {
            Ok(event) => event,
            Err(error) => {
                let message = format!("Could not parse request body into json: {error}");
                return reply(
                    StatusCode::BAD_REQUEST,
                    &json!({ "Type": "User", "message": message }),
                );
            }
        },
    };
    let asynchronous = headers
        .get("x-amz-invocation-type")
        .is_some_and(|kind| kind == "Event");
    if name == "drain" {
        if asynchronous {
            shared.start_drain(event);
            return reply(StatusCode::ACCEPTED, &Value::Null);
        }
        return match shared.drain(event).await {
            Ok(report) => reply(StatusCode::OK, &report),
            Err(error) => failed(error.kind(), &shared::telemetry::chain(&error)),
        };
    }
    let Some(function) = shared.gateway.function(&name) else {
        let message = format!("Function not found: {name}");
        return reply(
            StatusCode::NOT_FOUND,
            &json!({ "Type": "User", "Message": message }),
        );
    };
    match shared.gateway.invoke(function, event).await {
        Ok(answer) => reply(StatusCode::OK, &answer),
        Err(error) => failed("Runtime.UnmarshalError", &format!("{error:#}")),
    }
}

/// A function error in Lambda's format.
fn failed(kind: &str, message: &str) -> Response<Body> {
    let body = json!({ "errorType": kind, "errorMessage": message });
    let mut response = reply(StatusCode::OK, &body);
    response.headers_mut().insert(
        "x-amz-function-error",
        header::HeaderValue::from_static("Unhandled"),
    );
    response
}

fn reply(status: StatusCode, body: &Value) -> Response<Body> {
    let text = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/json"),
    );
    response
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
