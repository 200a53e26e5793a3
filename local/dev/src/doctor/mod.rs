//! `dev doctor`: checks that a database supports everything Trawl needs.

mod checks;
mod cleanup;
mod subject;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use futures_util::future::BoxFuture;
use shared::clock::Clock;
use shared::config::{Environment, RedisConfig};
use shared::queue::JobId;
use shared::redis;
use shared::telemetry;

use crate::address::service_url;
use crate::defaults::DATA;
use crate::keys::Keys;
use crate::services::REDIS_PORT;
use crate::settings::Settings;
use subject::Subject;

/// Check that a database supports everything Trawl needs, then remove the test data.
#[derive(Args, Clone, Debug)]
pub struct DoctorCommand {
    /// Database to check instead of UPSTASH_REDIS_REST_URL: a port, ADDRESS:PORT or a
    /// URL. Its token is UPSTASH_REDIS_REST_TOKEN, or else the one in the data folder.
    #[arg(long, conflicts_with = "embedded")]
    pub url: Option<String>,
    /// Data folder of the running system whose database --url names.
    #[arg(long, value_name = "DIR", default_value = DATA)]
    pub data: PathBuf,
    /// Start an embedded database and check that instead.
    #[arg(long)]
    pub embedded: bool,
}

/// The result of one check.
#[derive(Debug)]
pub struct Finding {
    pub check: &'static str,
    pub took: Duration,
    /// What the check observed, or why it failed.
    pub outcome: Result<String, String>,
}

/// A check returns a sentence about what it observed, or the error.
type Check = for<'a> fn(&'a Subject) -> BoxFuture<'a, anyhow::Result<String>>;

const CHECKS: [(&str, Check); 8] = [
    ("connectivity", |subject| {
        Box::pin(checks::connectivity(subject))
    }),
    ("set and get", |subject| {
        Box::pin(checks::set_and_get(subject))
    }),
    ("cache", |subject| Box::pin(checks::cache(subject))),
    ("rate limiter", |subject| Box::pin(checks::limiter(subject))),
    ("lock", |subject| Box::pin(checks::lock(subject))),
    ("queue", |subject| Box::pin(checks::queue(subject))),
    ("stream", |subject| Box::pin(checks::stream(subject))),
    ("monitoring", |subject| {
        Box::pin(checks::monitoring(subject))
    }),
];

/// `dev doctor`. Returns whether every check passed.
///
/// # Errors
/// If a setting is invalid or the embedded database cannot be started.
pub async fn doctor(command: DoctorCommand) -> anyhow::Result<bool> {
    let named = named(&command, &Environment::process())?;
    let (config, server, origin) = match named {
        Some((config, origin)) => (config, None, origin),
        None => {
            let started = upstash_local::Server::start(upstash_local::Options::default()).await?;
            let settings = Settings::read(&Environment::process())?;
            let config = settings.local_redis(started.url(), started.token().to_owned());
            (config, Some(started), "embedded, removed afterwards")
        }
    };
    println!("database  {} ({origin})", config.url);
    let findings = examine(&config, &Clock::system()).await?;
    for finding in &findings {
        println!("{}", line(finding));
    }
    let failed = findings.iter().filter(|f| f.outcome.is_err()).count();
    match failed {
        0 => println!("all checks passed"),
        _ => println!("{failed} of {} checks failed", findings.len()),
    }
    if let Some(server) = server {
        server.stop().await;
    }
    Ok(failed == 0)
}

/// The database to check and which setting named it. `None` means the embedded one.
fn named(
    command: &DoctorCommand,
    env: &Environment<'_>,
) -> anyhow::Result<Option<(RedisConfig, &'static str)>> {
    let settings = Settings::read(env)?;
    if command.embedded {
        return Ok(None);
    }
    if let Some(url) = &command.url {
        let url = service_url(url).map_err(|wrong| anyhow!("--url: {wrong}"))?;
        let token = match env.text("UPSTASH_REDIS_REST_TOKEN") {
            Some(token) => token.trim().to_owned(),
            None => {
                let keys = Keys::read(&command.data)?;
                let keys = keys.with_context(|| {
                    format!(
                        "no token for {url}: set UPSTASH_REDIS_REST_TOKEN, or set --data to the \
                         data folder of the system it belongs to"
                    )
                })?;
                keys.database_token
            }
        };
        return Ok(Some((settings.local_redis(url, token), "named by --url")));
    }
    match settings.redis {
        Some(config) => Ok(Some((config, "named by UPSTASH_REDIS_REST_URL"))),
        None => bail!(
            "no database to check: set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN, or name \
             one with --url (the database of `dev` is usually at {}), or check an embedded one \
             with --embedded",
            format_args!("127.0.0.1:{REDIS_PORT}")
        ),
    }
}

/// Runs every check, then removes the test data whatever the checks found.
///
/// # Errors
/// If the settings are invalid.
pub async fn examine(config: &RedisConfig, clock: &Clock) -> anyhow::Result<Vec<Finding>> {
    let subject = Subject {
        redis: redis::connect(config, clock)?,
        prefix: format!("{}doctor:{}:", config.key_prefix, JobId::new(clock)),
        clock: clock.clone(),
    };
    let mut findings: Vec<Finding> = Vec::with_capacity(CHECKS.len() + 1);
    for (name, check) in CHECKS {
        if findings.first().is_some_and(|first| first.outcome.is_err()) {
            findings.push(Finding {
                check: name,
                took: Duration::ZERO,
                outcome: Err("skipped: the database cannot be reached".to_owned()),
            });
            continue;
        }
        findings.push(find(&subject, name, check(&subject)).await);
    }
    if findings.first().is_some_and(|first| first.outcome.is_ok()) {
        findings.push(find(&subject, "cleanup", cleanup::cleanup(&subject)).await);
    }
    Ok(findings)
}

async fn find(
    subject: &Subject,
    check: &'static str,
    work: impl Future<Output = anyhow::Result<String>>,
) -> Finding {
    let started = subject.clock.elapsed();
    let outcome = work
        .await
        .map_err(|error| telemetry::chain(error.as_ref()).to_string());
    Finding {
        check,
        took: subject.clock.elapsed().saturating_sub(started),
        outcome,
    }
}

fn line(finding: &Finding) -> String {
    let (mark, text) = match &finding.outcome {
        Ok(text) => ("ok    ", text),
        Err(text) => ("FAILED", text),
    };
    let took = finding.took.as_millis();
    format!("{mark}  {:<13} {took:>5} ms  {text}", finding.check)
}
