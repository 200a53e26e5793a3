//! Functions as Lambda runs them: processes that poll the runtime API for events.

use std::collections::VecDeque;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;
use shared::clock::Clock;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Far longer than an answer takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Timeout of an invocation.
const TIMEOUT_MS: i64 = 60_000;

/// A process, with its requests and its output.
pub struct Process {
    child: Child,
    api: Arc<Api>,
    said: mpsc::UnboundedReceiver<Said>,
    lines: Arc<Mutex<Vec<String>>>,
    readers: Vec<JoinHandle<()>>,
    is_ready: bool,
    n_invoked: u64,
}

#[derive(Default)]
struct Api {
    events: Mutex<VecDeque<Invocation>>,
    arrived: tokio::sync::Notify,
}

/// An event to send.
#[derive(Clone, Debug, Default)]
pub struct Invocation {
    pub body: Vec<u8>,
    /// The X-Ray header, if Lambda traces.
    pub trace: Option<String>,
    id: String,
}

impl From<&Value> for Invocation {
    fn from(event: &Value) -> Invocation {
        Invocation::from(event.to_string().into_bytes())
    }
}

impl From<Vec<u8>> for Invocation {
    fn from(body: Vec<u8>) -> Invocation {
        Invocation {
            body,
            ..Invocation::default()
        }
    }
}

/// A call of the process to the runtime API.
enum Said {
    /// It polled for an event, so it is ready or done with the previous event.
    Next,
    Answer(Answer),
}

/// The result of an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Reply(Value),
    /// The invocation failed, with this type and message.
    Failure(String, String),
}

impl Answer {
    /// The reply of a successful invocation.
    pub fn reply(self) -> Value {
        match self {
            Answer::Reply(reply) => reply,
            Answer::Failure(kind, message) => panic!("{kind}: {message}"),
        }
    }
}

impl Process {
    /// Starts `command` with nothing but `environment`.
    pub async fn start(
        mut command: Command,
        name: &str,
        environment: &[(&str, String)],
    ) -> Process {
        let (say, said) = mpsc::unbounded_channel();
        let api = Arc::<Api>::default();
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route(
                "/2018-06-01/runtime/invocation/{id}/{outcome}",
                post(answer),
            )
            .with_state((api.clone(), say));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address)
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}"))
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "an-access-key-of-the-account")
            .env("AWS_SESSION_TOKEN", "a-session-token-of-the-account")
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let readers = vec![
            read(child.stdout.take().unwrap(), lines.clone()),
            read(child.stderr.take().unwrap(), lines.clone()),
        ];
        Process {
            child,
            api,
            said,
            lines,
            readers,
            is_ready: false,
            n_invoked: 0,
        }
    }

    /// Waits until it polls for its first event.
    pub async fn ready(&mut self) {
        assert!(matches!(self.hear().await, Said::Next));
        self.is_ready = true;
    }

    /// Sends it an event and waits for the answer.
    pub async fn invoke(&mut self, invocation: impl Into<Invocation>) -> Answer {
        if !self.is_ready {
            self.ready().await;
        }
        self.n_invoked += 1;
        let mut invocation = invocation.into();
        invocation.id = format!("request-{}", self.n_invoked);
        self.api.events.lock().unwrap().push_back(invocation);
        self.api.arrived.notify_one();
        let Said::Answer(answer) = self.hear().await else {
            panic!("it asked for another event: {:#?}", self.lines());
        };
        // It polled for the next event, so it is alive.
        assert!(matches!(self.hear().await, Said::Next));
        answer
    }

    /// Freezes the process, as Lambda does after an invocation, or resumes it.
    pub async fn freeze(&self, frozen: bool) {
        let signal = if frozen { "-STOP" } else { "-CONT" };
        let id = self.child.id().unwrap().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().await;
        assert!(sent.unwrap().success());
    }

    async fn hear(&mut self) -> Said {
        let heard = tokio::select! {
            said = self.said.recv() => said,
            status = self.child.wait() => panic!("it ended, {status:?}: {:#?}", self.lines()),
            () = tokio::time::sleep(PATIENCE) => panic!("it says nothing: {:#?}", self.lines()),
        };
        heard.unwrap()
    }

    /// Waits until it exits on its own.
    pub async fn ended(mut self) -> (ExitStatus, Vec<String>) {
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let status = ended.expect("it runs on").unwrap();
        let lines = self.stop().await;
        (status, lines)
    }

    /// Kills it and returns everything it wrote.
    pub async fn stop(mut self) -> Vec<String> {
        // It may already have exited.
        let _ = self.child.kill().await;
        for reader in self.readers.drain(..) {
            reader.await.unwrap();
        }
        self.lines()
    }

    /// Everything it has written so far.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

fn read(
    stream: impl AsyncRead + Unpin + Send + 'static,
    lines: Arc<Mutex<Vec<String>>>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut stream = BufReader::new(stream).lines();
        while let Ok(Some(line)) = stream.next_line().await {
            lines.lock().unwrap().push(line);
        }
    })
}

type Shared = (Arc<Api>, mpsc::UnboundedSender<Said>);

/// Returns the next event. While there is none, the function waits as if it were frozen.
async fn next(State((api, say)): State<Shared>) -> Response {
    // A send fails only if the process is being stopped.
    let _ = say.send(Said::Next);
    let invocation = loop {
        if let Some(invocation) = api.events.lock().unwrap().pop_front() {
            break invocation;
        }
        api.arrived.notified().await;
    };
    let deadline = Clock::system().now_ms() + TIMEOUT_MS;
    let mut headers = HeaderMap::new();
    let mut set = |name: &'static str, value: &str| headers.insert(name, value.parse().unwrap());
    set("lambda-runtime-aws-request-id", &invocation.id);
    set("lambda-runtime-deadline-ms", &deadline.to_string());
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:function";
    set("lambda-runtime-invoked-function-arn", arn);
    if let Some(trace) = &invocation.trace {
        set("lambda-runtime-trace-id", trace);
    }
    (headers, invocation.body).into_response()
}

async fn answer(
    State((_, say)): State<Shared>,
    Path((_, outcome)): Path<(String, String)>,
    body: Bytes,
) -> StatusCode {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
    let answer = match outcome.as_str() {
        "error" => Answer::Failure(text("errorType"), text("errorMessage")),
        _ => Answer::Reply(body),
    };
    // As above.
    let _ = say.send(Said::Answer(answer));
    StatusCode::ACCEPTED
}
