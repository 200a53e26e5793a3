//! Lambda's runtime API as the function sees it: it polls for an event and posts the
//! answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use shared::clock::Clock;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

/// The invocation deadline that the function is given.
const TIMEOUT: Duration = Duration::from_secs(900);

/// The runtime API for one function. It stops when this value is dropped.
pub struct Emulator {
    pub address: SocketAddr,
    events: mpsc::Sender<&'static str>,
    calls: mpsc::UnboundedReceiver<Call>,
    server: JoinHandle<()>,
}

/// What the function did, and when.
#[derive(Debug)]
pub enum Call {
    /// It asked for an event.
    Asked(Duration),
    /// It was given an event.
    Handed(Duration),
    Answered {
        at: Duration,
        body: Bytes,
    },
    /// It reported a failure.
    Failed(Bytes),
}

struct Api {
    clock: Clock,
    events: Mutex<mpsc::Receiver<&'static str>>,
    calls: mpsc::UnboundedSender<Call>,
}

impl Emulator {
    /// # Errors
    /// If no port is free.
    pub async fn start(clock: &Clock) -> anyhow::Result<Emulator> {
        let (events, taken) = mpsc::channel(1);
        let (told, calls) = mpsc::unbounded_channel();
        let api = Arc::new(Api {
            clock: clock.clone(),
            events: Mutex::new(taken),
            calls: told,
        });
        let invocation = "/2018-06-01/runtime/invocation";
        let app = Router::new()
            .route(&format!("{invocation}/next"), get(next))
            .route(&format!("{invocation}/{{id}}/response"), post(response))
            .route(&format!("{invocation}/{{id}}/error"), post(error))
            .route("/2018-06-01/runtime/init/error", post(error))
            .with_state(api);
        let (address, server) = serve(app).await?;
        Ok(Emulator {
            address,
            events,
            calls,
            server,
        })
    }

    /// Queues `event` for the next poll.
    ///
    /// # Errors
    /// If the server has stopped.
    pub async fn offer(&self, event: &'static str) -> anyhow::Result<()> {
        let offered = self.events.send(event).await;
        offered.context("the runtime API has stopped")
    }

    /// Waits for the function's next call.
    ///
    /// # Errors
    /// If the server has stopped.
    pub async fn call(&mut self) -> anyhow::Result<Call> {
        self.calls
            .recv()
            .await
            .context("the runtime API has stopped")
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Serves `app` on a free port with `TCP_NODELAY`, so small answers are not delayed.
///
/// # Errors
/// If no port is free.
pub async fn serve(app: Router) -> anyhow::Result<(SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.context("no free port to listen on")?;
    let address = listener.local_addr()?;
    let listener = listener.tap_io(|connection| {
        // If this fails, answers are merely slower.
        let _ = connection.set_nodelay(true);
    });
    let server = tokio::spawn(async move {
        // Runs until its task is aborted.
        let _ = axum::serve(listener, app).await;
    });
    Ok((address, server))
}

impl Api {
    fn tell(&self, call: Call) {
        // A send fails only when the function is no longer being measured.
        let _ = self.calls.send(call);
    }
}

async fn next(State(api): State<Arc<Api>>) -> Response {
    api.tell(Call::Asked(api.clock.elapsed()));
    let Some(event) = api.events.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let deadline_ms = api.clock.now_ms() + TIMEOUT.as_millis() as i64;
    let mut headers = HeaderMap::new();
    let fixed = [
        ("content-type", "application/json"),
        (
            "lambda-runtime-aws-request-id",
            "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
        ),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:000000000000:function:bench",
        ),
        (
            "lambda-runtime-trace-id",
            "Root=1-69200000-0123456789abcdef01234567;Sampled=0",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("lambda-runtime-deadline-ms", deadline_ms.into());
    api.tell(Call::Handed(api.clock.elapsed()));
    (headers, event).into_response()
}

async fn response(State(api): State<Arc<Api>>, body: Bytes) -> StatusCode {
    let at = api.clock.elapsed();
    api.tell(Call::Answered { at, body });
    StatusCode::ACCEPTED
}

async fn error(State(api): State<Arc<Api>>, body: Bytes) -> StatusCode {
    api.tell(Call::Failed(body));
    StatusCode::ACCEPTED
}
