//! `dev load-test`: measures the queue under load and verifies that it loses nothing.
//!
//! Jobs are enqueued in bulk, drained by the real consumer over HTTP, and read back. Some
//! jobs fail once, and some kill their drainer. With `--redis` the same work also runs on
//! a real Redis behind the endpoint, and with `--bullmq` on BullMQ over a real Redis.
//!
//! | module | contents |
//! |---|---|
//! | `command` | the command line options |
//! | `work` | the jobs and their fates |
//! | `handler`, `drainer` | run the jobs, and get killed |
//! | `redis_server` | starts a real Redis |
//! | `timed` | request times |
//! | `places` | the databases to measure |
//! | `run`, `verdict` | one run, and its verification |
//! | `compare`, `bullmq` | the comparison with BullMQ |
//! | `report` | the report |

mod bullmq;
mod command;
mod compare;
mod drainer;
mod handler;
mod places;
mod redis_server;
mod report;
mod run;
mod timed;
mod verdict;
mod work;

use std::path::Path;

pub use crate::measure::{Endpoint, Percentiles, Target};
pub use command::LoadTestCommand;
pub use drainer::Drained;
pub use run::{Measured, Phase, Plan, run};
pub use verdict::Verdict;
pub use work::Work;

use crate::measure::{passes_on, program_beside};
use compare::OtherSide;
use places::{Places, named};

/// `dev load-test`.
///
/// # Errors
/// If a program is not installed or does not start, or if a job was lost or accepted
/// twice.
pub async fn load_test(command: LoadTestCommand) -> anyhow::Result<()> {
    let program = program_beside();
    match &program {
        Some(program) => println!("endpoint  {}, as a separate process", program.display()),
        None => println!(
            "endpoint  in this process; `cargo build --release -p upstash-local` \
             builds it to run as a process of its own"
        ),
    }
    if cfg!(debug_assertions) {
        println!("warning   this is a debug build; use --release for meaningful numbers");
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
    // Report missing programs before the work, not after it.
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

/// The engines to test: the embedded one, a Redis that was named, and the Redis started
/// for BullMQ if the endpoint binary can forward to it.
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
