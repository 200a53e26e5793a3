//! A queue on its own endpoint, and a handler that a test can script.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use shared::clock::Clock;
use shared::config::{Provider, QueueConfig, RedisConfig};
use shared::queue::{ActiveJob, EndedJob, JobHandler, Outcome, Queue};
use upstash_local::Store;

use crate::START_MS;

/// An in-memory endpoint whose clock is at [`START_MS`]. With `TRAWL_TEST_REDIS`, an
/// endpoint in front of that server, with its own database and the server's clock.
pub async fn start_endpoint() -> upstash_local::Server {
    let redis = std::env::var("TRAWL_TEST_REDIS").ok();
    let server = upstash_local::Server::start(upstash_local::Options {
        store: redis.as_deref().map_or(Store::Memory, a_database),
        clock: upstash_local::Clock::manual(START_MS),
        ..upstash_local::Options::default()
    })
    .await
    .unwrap();
    if redis.is_some() {
        // The HTTP client needs a TLS provider even for plain HTTP.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let flush = format!("{}/flushdb?_token={}", server.url(), server.token());
        reqwest::get(flush)
            .await
            .unwrap()
            .error_for_status()
            .unwrap();
        server.reset_meter();
    }
    server
}

/// Whether keys expire by the tests' clock. A real server behind the endpoint has its own
/// clock.
pub fn clock_moves_keys() -> bool {
    std::env::var_os("TRAWL_TEST_REDIS").is_none()
}

/// The next database of a server.
fn a_database(url: &str) -> Store {
    static N_TAKEN: AtomicUsize = AtomicUsize::new(0);
    let url: upstash_local::RedisUrl = url.parse().unwrap();
    let database = url.database() + N_TAKEN.fetch_add(1, Ordering::Relaxed);
    Store::Redis {
        url: url.with_database(database),
    }
}

/// A queue on `endpoint` with a separate client, as another process has.
pub fn queue_on(endpoint: &upstash_local::Server, clock: &Clock, config: QueueConfig) -> Queue {
    let redis = RedisConfig {
        provider: Provider::Local,
        url: endpoint.url(),
        token: endpoint.token().into(),
        key_prefix: "trawl:".to_owned(),
        ca_file: None,
    };
    let redis = shared::redis::connect(&redis, clock).unwrap();
    Queue::new(redis, "trawl:", "test", clock.clone(), config)
}

/// What the handler does with a job of a given kind.
pub type Script = Arc<dyn Fn(ActiveJob) -> BoxFuture<'static, Outcome> + Send + Sync>;

/// Runs scripts and records what it ran.
#[derive(Clone, Default)]
pub struct Scripted {
    scripts: HashMap<String, Script>,
    pub ran: Arc<Mutex<Vec<(String, u64)>>>,
    pub ended: Arc<Mutex<Vec<EndedJob>>>,
}

impl Scripted {
    /// Runs `script` for jobs of `kind`. Other kinds complete at once.
    pub fn on<F, R>(mut self, kind: &str, script: F) -> Scripted
    where
        F: Fn(ActiveJob) -> R + Send + Sync + 'static,
        R: Future<Output = Outcome> + Send + 'static,
    {
        self.scripts
            .insert(kind.to_owned(), Arc::new(move |job| script(job).boxed()));
        self
    }

    /// The IDs and fences of the jobs, in the order in which they ran.
    pub fn ran(&self) -> Vec<(String, u64)> {
        self.ran.lock().unwrap().clone()
    }
}

impl JobHandler for Scripted {
    fn run(&self, job: ActiveJob) -> BoxFuture<'static, Outcome> {
        let attempt = (job.attempt.id.to_string(), job.attempt.fence);
        self.ran.lock().unwrap().push(attempt);
        match self.scripts.get(&job.kind) {
            Some(script) => script(job),
            None => async { Outcome::Done(serde_json::json!({ "ok": true })) }.boxed(),
        }
    }

    fn ended(&self, job: EndedJob) -> BoxFuture<'static, ()> {
        self.ended.lock().unwrap().push(job);
        async {}.boxed()
    }
}
