//! `dev doctor`: whether a database does what the system needs of it.

mod checks;
mod cleanup;

use std::time::Duration;

use clap::Args;
use futures_util::future::BoxFuture;
use shared::clock::Clock;
use shared::config::{Environment, RedisConfig};
use shared::queue::JobId;
use shared::redis::{self, Redis};
use shared::telemetry;

use crate::settings::Settings;
use crate::up;

/// Check the database the settings name, or the one `dev` serves on this machine.
#[derive(Args, Clone, Debug)]
pub struct DoctorCommand {
    /// Start an embedded database for the checks instead.
    #[arg(long)]
    pub embedded: bool,
}

/// What a check found.
#[derive(Debug)]
pub struct Finding {
    pub check: &'static str,
    pub took: Duration,
    /// What was seen; of a failed check, why it failed.
    pub outcome: Result<String, String>,
}

/// What a check works with. All its keys begin with a prefix no other run has.
pub(crate) struct Patient {
    pub redis: Redis,
    pub prefix: String,
    pub clock: Clock,
}

/// A check: a sentence on what it saw, or what is wrong.
type Check = for<'a> fn(&'a Patient) -> BoxFuture<'a, anyhow::Result<String>>;

const CHECKS: [(&str, Check); 8] = [
    ("connectivity", |patient| {
        Box::pin(checks::connectivity(patient))
    }),
    ("set and get", |patient| {
        Box::pin(checks::set_and_get(patient))
    }),
    ("cache", |patient| Box::pin(checks::cache(patient))),
    ("rate limiter", |patient| Box::pin(checks::limiter(patient))),
    ("lock", |patient| Box::pin(checks::lock(patient))),
    ("queue", |patient| Box::pin(checks::queue(patient))),
    ("stream", |patient| Box::pin(checks::stream(patient))),
    ("monitoring", |patient| {
        Box::pin(checks::monitoring(patient))
    }),
];

/// `dev doctor`; answers whether everything is well.
///
/// # Errors
/// When a setting is wrong or the embedded database cannot be started.
pub async fn doctor(command: DoctorCommand) -> anyhow::Result<bool> {
    let settings = Settings::read(&Environment::process())?;
    let mut server = None;
    let config = match settings.redis.clone().filter(|_| !command.embedded) {
        Some(config) => config,
        None if command.embedded => {
            let started = upstash_local::Server::start(upstash_local::Options::default()).await?;
            let config = settings.local_redis(started.url(), started.token().to_owned());
            server = Some(started);
            config
        }
        None => settings.local_redis(
            format!("http://127.0.0.1:{}", up::REDIS_PORT),
            up::REDIS_TOKEN.to_owned(),
        ),
    };
    println!("database  {}", config.url);
    let findings = examine(&config, &Clock::system()).await?;
    for finding in &findings {
        println!("{}", line(finding));
    }
    let failed = findings.iter().filter(|f| f.outcome.is_err()).count();
    match failed {
        0 => println!("all is well"),
        _ => println!("{failed} of {} failed", findings.len()),
    }
    if let Some(server) = server {
        server.stop().await;
    }
    Ok(failed == 0)
}

/// Makes every check, and removes what they left whatever they found.
///
/// # Errors
/// When the settings describe no database.
pub async fn examine(config: &RedisConfig, clock: &Clock) -> anyhow::Result<Vec<Finding>> {
    let patient = Patient {
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
                outcome: Err("not tried: the database cannot be reached".to_owned()),
            });
            continue;
        }
        findings.push(find(&patient, name, check(&patient)).await);
    }
    if findings.first().is_some_and(|first| first.outcome.is_ok()) {
        findings.push(find(&patient, "cleanup", cleanup::cleanup(&patient)).await);
    }
    Ok(findings)
}

async fn find(
    patient: &Patient,
    check: &'static str,
    work: impl Future<Output = anyhow::Result<String>>,
) -> Finding {
    let started = patient.clock.elapsed();
    let outcome = work
        .await
        .map_err(|error| telemetry::chain(error.as_ref()).to_string());
    Finding {
        check,
        took: patient.clock.elapsed().saturating_sub(started),
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
