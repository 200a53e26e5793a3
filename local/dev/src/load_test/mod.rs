//! `dev load-test`: what the queue takes under load, and whether it loses anything.
//!
//! Jobs are stored in bulk, drained by the real consumer over real HTTP and read back.
//! Some fail once; some take their drainer with them. With `--redis` the same is done on
//! a real Redis behind the endpoint, with `--bullmq` on BullMQ over a real Redis.
//!
//! | module | holds |
//! |---|---|
//! | `work` | the jobs and their fates |
//! | `handler`, `drainer` | what runs them, and dies |
//! | `endpoint`, `redis_server`, `process` | what is measured |
//! | `timed`, `percentile` | the times of requests |
//! | `run`, `verdict` | one run, and whether it was right |
//! | `bullmq` | the other side |
//! | `report`, `table` | the print |

mod bullmq;
mod drainer;
mod endpoint;
mod handler;
mod percentile;
mod process;
mod redis_server;
mod report;
mod run;
mod table;
mod timed;
mod verdict;
mod work;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use shared::clock::Clock;

pub use drainer::Drained;
pub use endpoint::{Endpoint, Target};
pub use percentile::Percentiles;
pub use run::{Measured, Phase, Plan, run};
pub use verdict::Verdict;
pub use work::Work;

use bullmq::BullMq;
use redis_server::RedisServer;

/// Concurrencies compared with BullMQ's.
const COMPARED: [usize; 3] = [1, 5, 50];

/// Measure the queue under load, and check that it loses nothing.
#[derive(Args, Clone, Debug)]
pub struct LoadTestCommand {
    /// Jobs to do.
    #[arg(long, default_value = "100000", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub jobs: u32,
    /// Jobs one drainer runs at once.
    #[arg(long, default_value = "5", value_parser = clap::value_parser!(u16).range(1..=50))]
    pub concurrency: u16,
    /// Drainers at the same time.
    #[arg(long, default_value = "1", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub drainers: u16,
    /// The share of jobs whose first attempt fails.
    #[arg(long, default_value = "0.05", value_parser = share)]
    pub failing: f64,
    /// The share of jobs that lose their lease because their drainer dies.
    #[arg(long, default_value = "0.01", value_parser = share)]
    pub crashing: f64,
    /// Decides which jobs fail and which kill.
    #[arg(long, default_value = "1")]
    pub seed: u64,
    /// Do the same on this real Redis, such as redis://127.0.0.1:6379, behind the
    /// endpoint. Its other keys are left alone.
    #[arg(long, value_name = "URL")]
    pub redis: Option<String>,
    /// Compare with BullMQ, over the Redis of --redis or one started for it.
    #[arg(long)]
    pub bullmq: bool,
    /// Jobs of each run that is compared with BullMQ; nobody dies in these.
    #[arg(long, default_value = "20000", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub bullmq_jobs: u32,
}

fn share(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|n| (0.0..=0.5).contains(n));
    number.ok_or_else(|| "expected a number from 0 to 0.5".to_owned())
}

/// `dev load-test`.
///
/// # Errors
/// What is not installed or does not start; what was lost or accepted twice.
pub async fn load_test(command: LoadTestCommand) -> anyhow::Result<()> {
    let program = endpoint::program_beside();
    match &program {
        Some(program) => println!("endpoint  {}, a process of its own", program.display()),
        None => println!(
            "endpoint  in this process; `cargo build --release -p upstash-local` \
             builds it to run apart"
        ),
    }
    if cfg!(debug_assertions) {
        println!("warning   not an optimised build: add --release");
    }
    let work = Work {
        jobs: command.jobs as usize,
        failing: command.failing,
        crashing: command.crashing,
        seed: command.seed,
    };
    let plan = Plan {
        work,
        concurrency: command.concurrency.into(),
        drainers: command.drainers.into(),
        lease: drainer::LEASE,
    };
    let mut targets = vec![("embedded", Target::Embedded)];
    if let Some(url) = &command.redis {
        targets.push(("Redis", Target::Redis(url.clone())));
    }
    let measured = on_each(&targets, &plan, program.as_deref()).await?;
    println!(
        "\n{} jobs, {} at once, {} drainer(s), {} of jobs failing, {} of jobs losing their drainer\n",
        command.jobs, plan.concurrency, plan.drainers, command.failing, command.crashing
    );
    println!("{}", report::runs(&named(&measured)));
    if command.bullmq {
        compare(&command, program.as_deref()).await?;
    }
    Ok(())
}

/// The same work on both sides, at each concurrency.
async fn compare(command: &LoadTestCommand, program: Option<&Path>) -> anyhow::Result<()> {
    let bullmq = BullMq::install(folder_beside()?).await?;
    let clock = Clock::system();
    let started = match &command.redis {
        Some(_) => None,
        None => Some(RedisServer::start(&clock).await?),
    };
    let own = started.as_ref().map(|server| server.url.clone());
    let url = command.redis.clone().or(own).context("there is no Redis")?;
    let mut targets = vec![("embedded", Target::Embedded)];
    if let Some(program) = program
        && endpoint::passes_on(program).await?
    {
        targets.push(("Redis", Target::Redis(url.clone())));
    }
    for concurrency in COMPARED {
        let plan = Plan {
            work: Work {
                jobs: command.bullmq_jobs as usize,
                failing: command.failing,
                crashing: 0.0,
                seed: command.seed,
            },
            concurrency,
            drainers: 1,
            lease: drainer::LEASE,
        };
        let ours = on_each(&targets, &plan, program).await?;
        let bar = bar(plan.work.jobs, &format!("BullMQ, {concurrency} at once"))?;
        let fates = plan.work.fates(concurrency);
        let theirs = bullmq.run(&url, &fates, concurrency, &bar).await?;
        bar.finish_and_clear();
        println!(
            "{} jobs, {concurrency} at once, against BullMQ {} on Node {}, {} attempts failing there\n",
            plan.work.jobs, theirs.version, theirs.node, theirs.failures
        );
        println!("{}", report::comparison(&named(&ours), &theirs));
    }
    Ok(())
}

async fn on_each<'a>(
    targets: &[(&'a str, Target)],
    plan: &Plan,
    program: Option<&Path>,
) -> anyhow::Result<Vec<(&'a str, Measured)>> {
    let mut all = Vec::new();
    for (name, target) in targets {
        let endpoint = Endpoint::start(target, program).await?;
        let bar = bar(
            plan.work.jobs,
            &format!("{name}, {} at once", plan.concurrency),
        )?;
        let measured = run(plan, &endpoint, bar.clone()).await;
        bar.finish_and_clear();
        endpoint.stop().await;
        all.push((
            *name,
            measured.with_context(|| format!("on the target {name}"))?,
        ));
    }
    Ok(all)
}

fn named<'a>(measured: &'a [(&'a str, Measured)]) -> Vec<(&'a str, &'a Measured)> {
    measured.iter().map(|(name, m)| (*name, m)).collect()
}

fn bar(jobs: usize, name: &str) -> anyhow::Result<ProgressBar> {
    let bar = ProgressBar::new(jobs as u64);
    bar.set_style(ProgressStyle::with_template(
        "{msg:24} {bar:40} {percent:>3}%  {per_sec}  {eta} left",
    )?);
    bar.set_message(name.to_owned());
    Ok(bar)
}

/// Where BullMQ is installed: in the target folder, with what was built.
fn folder_beside() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().context("this program has no place")?;
    Ok(program.with_file_name("bullmq"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        command: LoadTestCommand,
    }

    fn parse(words: &[&str]) -> Result<LoadTestCommand, String> {
        let words = std::iter::once(&"dev").chain(words);
        let parsed = Arguments::try_parse_from(words).map_err(|error| error.to_string())?;
        Ok(parsed.command)
    }

    #[test]
    fn without_words_it_is_the_run_that_is_published() {
        let command = parse(&[]).unwrap();
        assert_eq!(
            (command.jobs, command.concurrency, command.drainers),
            (100_000, 5, 1)
        );
        assert_eq!((command.failing, command.crashing), (0.05, 0.01));
        assert!(command.redis.is_none() && !command.bullmq);
    }

    #[test]
    fn a_share_that_is_none_is_refused_with_what_it_may_be() {
        for wrong in ["0.6", "-0.1", "NaN", "much"] {
            let told = parse(&[&format!("--failing={wrong}")]).unwrap_err();
            assert!(told.contains("expected a number from 0 to 0.5"), "{told}");
        }
        assert!(parse(&["--jobs", "0"]).is_err());
        assert!(parse(&["--concurrency", "51"]).is_err());
    }
}
