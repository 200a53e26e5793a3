//! The database requests of one invocation, timed on their own.
//!
//! A warm invocation spends most of its time waiting for the database. Subtracting the
//! time that the same requests take when this client sends them over one open connection
//! leaves the cost of the function itself.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use shared::clock::Clock;
use tokio::task::JoinHandle;

use super::emulator::serve;
use super::program::Program;
use super::running::Running;
use super::site::{Link, Site};

/// One recorded database request.
#[derive(Clone, Debug)]
pub struct Request {
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

/// Headers that the HTTP client sets itself.
const CONNECTION: [&str; 3] = ["host", "content-length", "connection"];

/// Records the requests of `program`'s second invocation, when its caches are filled. The
/// list may be empty: some functions answer from memory.
///
/// # Errors
/// If the program fails.
pub async fn requests(site: &Site, program: &Program) -> anyhow::Result<Vec<Request>> {
    let recorder = Recorder::start(site.url(Link::Plain)).await?;
    let environment = site.environment(program, Link::Plain, &recorder.url);
    let mut running = Running::start(program, environment, None, &site.clock).await?;
    running.first_answer().await?;
    recorder.take();
    running.invoke(program.event).await?;
    running.stop().await?;
    Ok(recorder.take())
}

/// Sends the recorded requests on their own.
pub struct Bare<'a> {
    client: reqwest::Client,
    url: String,
    requests: &'a [Request],
    clock: Clock,
}

impl<'a> Bare<'a> {
    /// # Errors
    /// If the client cannot be created.
    pub fn new(site: &Site, link: Link, requests: &'a [Request]) -> anyhow::Result<Bare<'a>> {
        Ok(Bare {
            client: match link {
                Link::Plain => shared::http_client()?,
                Link::Tls | Link::TlsAndSecrets => shared::http_client_trusting(&site.root())?,
            },
            url: site.url(link).to_owned(),
            requests,
            clock: site.clock.clone(),
        })
    }

    /// Sends the requests one after the other and returns the total time.
    ///
    /// # Errors
    /// If a request gets no reply.
    pub async fn send(&self) -> anyhow::Result<Duration> {
        let began = self.clock.elapsed();
        for request in self.requests {
            ask(&self.client, &self.url, request).await?;
        }
        Ok(self.clock.elapsed().saturating_sub(began))
    }
}

/// Sends one request to the database at `url`.
async fn ask(
    client: &reqwest::Client,
    url: &str,
    request: &Request,
) -> anyhow::Result<(StatusCode, HeaderMap, Bytes)> {
    let sent = client
        .post(format!("{url}{}", request.path))
        .headers(request.headers.clone())
        .body(request.body.clone())
        .send();
    let answer = sent.await.context("the database did not reply")?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    Ok((status, headers, answer.bytes().await?))
}

/// A proxy that records the requests it forwards. It stops when this value is dropped.
struct Recorder {
    url: String,
    seen: Seen,
    server: JoinHandle<()>,
}

type Seen = Arc<Mutex<Vec<Request>>>;

#[derive(Clone)]
struct Passing {
    client: reqwest::Client,
    url: String,
    seen: Seen,
}

impl Recorder {
    async fn start(url: &str) -> anyhow::Result<Recorder> {
        let passing = Passing {
            client: shared::http_client()?,
            url: url.to_owned(),
            seen: Seen::default(),
        };
        let seen = passing.seen.clone();
        let app = Router::new().fallback(pass).with_state(passing);
        let (address, server) = serve(app).await?;
        Ok(Recorder {
            url: format!("http://{address}"),
            seen,
            server,
        })
    }

    /// Returns the requests recorded since the last call.
    fn take(&self) -> Vec<Request> {
        std::mem::take(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn pass(
    State(passing): State<Passing>,
    uri: Uri,
    mut headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, HeaderMap, Bytes), StatusCode> {
    for name in CONNECTION {
        headers.remove(name);
    }
    let request = Request {
        path: uri.path().to_owned(),
        headers,
        body,
    };
    let answer = ask(&passing.client, &passing.url, &request).await;
    let mut seen = passing.seen.lock().unwrap_or_else(PoisonError::into_inner);
    seen.push(request);
    answer.map_err(|_| StatusCode::BAD_GATEWAY)
}
