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
//! | `redis_server` | a real Redis |
//! | `timed` | the times of requests |
//! | `run`, `verdict` | one run, and whether it was right |
//! | `compare`, `bullmq` | the other side |
//! | `report` | the print |

mod bullmq;
mod compare;
mod drainer;
mod handler;
mod redis_server;
mod report;
mod run;
mod timed;
mod verdict;
mod work;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

pub use crate::measure::{Endpoint, Percentiles, Target};
pub use drainer::Drained;
pub use run::{Measured, Phase, Plan, run};
pub use verdict::Verdict;
pub use work::Work;

use crate::measure::{bar, passes_on, program_beside};
use compare::OtherSide;

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
    /// How often each of these is done; the fastest counts, since whatever else the
    /// machine does only slows.
    #[arg(long, default_value = "3", value_parser = clap::value_parser!(u16).range(1..=100))]
    pub rounds: u16,
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
    let program = program_beside();
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
    // What is missing is told before the work, not after it.
    let other = match command.bullmq {
        true => Some(OtherSide::prepare(&command).await?),
        false => None,
    };
    let places = Places {
        targets: targets(&command, other.as_ref(), program.as_deref()).await?,
        program,
    };
    let mut measured = Vec::new();
    for (name, target) in &places.targets {
        measured.push((*name, places.run(name, target, &plan).await?));
    }
    println!(
        "\n{} jobs, {} at once, {} drainer(s), {} of jobs failing, {} of jobs losing their drainer\n",
        command.jobs, plan.concurrency, plan.drainers, command.failing, command.crashing
    );
    println!("{}", report::runs(&named(&measured)));
    match other {
        Some(other) => other.compare(&command, &places).await,
        None => Ok(()),
    }
}

/// The engines to work on: the Redis that was named has to be one of them, the one
/// started for BullMQ is if the endpoint's program can pass on to it.
async fn targets(
    command: &LoadTestCommand,
    other: Option<&OtherSide>,
    program: Option<&Path>,
) -> anyhow::Result<Vec<(&'static str, Target)>> {
    let mut targets = vec![("embedded", Target::Embedded)];
    if let Some(url) = &command.redis {
        targets.push(("Redis", Target::Redis(url.clone())));
    } else if let (Some(other), Some(program)) = (other, program)
        && passes_on(program).await?
    {
        targets.push(("Redis", Target::Redis(other.redis_url.clone())));
    }
    Ok(targets)
}

/// What runs are done on.
struct Places {
    targets: Vec<(&'static str, Target)>,
    /// The endpoint's.
    program: Option<PathBuf>,
}

impl Places {
    async fn run(&self, name: &str, target: &Target, plan: &Plan) -> anyhow::Result<Measured> {
        let endpoint = Endpoint::start(target, self.program.as_deref()).await?;
        let title = format!("{name}, {} at once", plan.concurrency);
        let bar = bar(plan.work.jobs, &title)?;
        let measured = run(plan, &endpoint, bar.clone()).await;
        bar.finish_and_clear();
        endpoint.stop().await;
        measured.with_context(|| format!("on the target {name}"))
    }
}

fn named<'a>(measured: &'a [(&'a str, Measured)]) -> Vec<(&'a str, &'a Measured)> {
    measured.iter().map(|(name, m)| (*name, m)).collect()
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
