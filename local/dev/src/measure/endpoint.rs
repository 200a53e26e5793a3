//! The endpoint under test, as a separate process if possible.
//!
//! As a separate process, its memory and processor time can be told apart from the
//! drainers'. The binary built next to this program is used. If there is none, the
//! endpoint runs in this process.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use shared::config::{Provider, RedisConfig};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::process::Process;

/// The engine behind the endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The endpoint's own engine, in memory.
    Embedded,
    /// A real Redis at this address.
    Redis(String),
}

/// A running endpoint.
pub struct Endpoint {
    place: Place,
    /// Whether the data is in the endpoint's memory rather than in a Redis behind it.
    pub holds_data: bool,
    url: String,
    token: String,
}

enum Place {
    Here(upstash_local::Server),
    Apart {
        child: Child,
        control: String,
        http: reqwest::Client,
    },
}

/// Billing counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meter {
    pub billed: u64,
    pub round_trips: u64,
}

#[derive(Deserialize)]
struct Snapshot {
    total: u64,
    requests: std::collections::BTreeMap<String, u64>,
}

impl Endpoint {
    /// Starts the endpoint from `program`, or in this process.
    ///
    /// # Errors
    /// If it does not start, or if a real Redis is wanted and `program` cannot forward to
    /// one.
    pub async fn start(target: &Target, program: Option<&Path>) -> anyhow::Result<Endpoint> {
        match (target, program) {
            (Target::Embedded, None) => Endpoint::here().await,
            (Target::Embedded, Some(program)) => Endpoint::apart(program, &["--memory"]).await,
            (Target::Redis(url), Some(program)) if passes_on(program).await? => {
                Endpoint::apart(program, &["--redis", url]).await
            }
            (Target::Redis(_), _) => bail!(
                "there is no `upstash-local` with --redis support next to this program: \
                 build it with `cargo build --release -p upstash-local`"
            ),
        }
    }

    /// Starts the embedded engine in this process.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn here() -> anyhow::Result<Endpoint> {
        let server = upstash_local::Server::start(upstash_local::Options::default()).await?;
        Ok(Endpoint {
            url: server.url(),
            token: server.token().into(),
            place: Place::Here(server),
            holds_data: true,
        })
    }

    async fn apart(program: &Path, more: &[&str]) -> anyhow::Result<Endpoint> {
        let any_port = "127.0.0.1:0";
        let mut child = Command::new(program)
            .args(["--listen", any_port, "--control", any_port])
            .args(more)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let out = child.stdout.take().context("the endpoint has no output")?;
        let mut lines = BufReader::new(out).lines();
        let mut told = async |name: &str| -> anyhow::Result<String> {
            let line = lines.next_line().await?.unwrap_or_default();
            let value = line.strip_prefix(name).map(str::to_owned);
            value.with_context(|| format!("{} did not start", program.display()))
        };
        let url = told("UPSTASH_REDIS_REST_URL=").await?;
        let token = told("UPSTASH_REDIS_REST_TOKEN=").await?;
        let control = told("control ").await?;
        let http = shared::http_client()?;
        Ok(Endpoint {
            holds_data: more.contains(&"--memory"),
            place: Place::Apart {
                child,
                control,
                http,
            },
            url,
            token,
        })
    }

    /// Its URL without a trailing slash.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    /// Client settings for this endpoint.
    pub fn redis(&self, key_prefix: &str) -> RedisConfig {
        RedisConfig {
            provider: Provider::Local,
            url: self.url.clone(),
            token: self.token.as_str().into(),
            key_prefix: key_prefix.to_owned(),
            ca_file: None,
        }
    }

    /// Its process, if it is a separate one.
    pub fn process(&self) -> Option<Process> {
        match &self.place {
            Place::Here(_) => None,
            Place::Apart { child, .. } => child.id().map(Process),
        }
    }

    /// # Errors
    /// If the endpoint does not reply.
    pub async fn meter(&self) -> anyhow::Result<Meter> {
        Ok(match &self.place {
            Place::Here(server) => {
                let meter = server.meter();
                Meter {
                    billed: meter.total,
                    round_trips: meter.requests.values().sum(),
                }
            }
            Place::Apart { control, http, .. } => {
                let reply = http.get(format!("{control}/meter")).send().await;
                let snapshot: Snapshot =
                    reply.context("the endpoint did not reply")?.json().await?;
                Meter {
                    billed: snapshot.total,
                    round_trips: snapshot.requests.values().sum(),
                }
            }
        })
    }

    pub async fn stop(self) {
        match self.place {
            Place::Here(server) => server.stop().await,
            Place::Apart { mut child, .. } => {
                // Killing it is safe: it holds nothing that has to be written.
                if let Err(error) = child.kill().await {
                    tracing::warn!(%error, "the endpoint could not be killed");
                }
            }
        }
    }
}

/// The endpoint binary built next to this program.
pub fn program_beside() -> Option<PathBuf> {
    let program = std::env::current_exe()
        .ok()?
        .with_file_name("upstash-local");
    program.is_file().then_some(program)
}

/// Whether `program` can forward to a real Redis.
pub async fn passes_on(program: &Path) -> anyhow::Result<bool> {
    let help = Command::new(program).arg("--help").output().await;
    let help = help.with_context(|| format!("cannot start {}", program.display()))?;
    Ok(String::from_utf8_lossy(&help.stdout).contains("--redis"))
}
