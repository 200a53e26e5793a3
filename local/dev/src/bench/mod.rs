//! `dev bench`: measures how long the built functions take to start and to answer,
//! compared with the same work in Node and Python.
//!
//! Each function is started the way Lambda starts it, with an event waiting, and answers
//! that event. The programs take turns. Then one process of each answers many events. The
//! database is the local endpoint, once over plain HTTP and once behind TLS.
//!
//! | module | contents |
//! |---|---|
//! | `cases`, `program`, `others` | what is measured |
//! | `emulator`, `running`, `share` | a function as a process |
//! | `site`, `tls`, `aws` | the services the functions need |
//! | `run`, `bare` | the measurement |
//! | `goals`, `report` | the report |

mod aws;
mod bare;
mod cases;
mod emulator;
mod goals;
mod others;
mod program;
mod report;
mod run;
mod running;
mod share;
mod site;
mod tls;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

pub use cases::{CASES, Case};
pub use goals::{Goal, goals};
pub use program::{Program, Side};
pub use report::tables;
pub use run::{Measured, Plan, Variant, measure, variants};
pub use site::{Link, Site};

use crate::measure::{bar, program_beside};
use share::Share;

/// Benchmark the functions' cold starts and warm requests against Node and Python.
#[derive(Args, Clone, Debug)]
pub struct BenchCommand {
    /// Folder with the built functions. Defaults to `release` in the target folder of
    /// this program.
    #[arg(long, value_name = "DIR")]
    pub bin_dir: Option<PathBuf>,
    /// Measure only these functions.
    #[arg(value_name = "FUNCTION")]
    pub functions: Vec<String>,
    /// Number of cold starts of each program, from 1 to 1,000.
    #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub runs: u16,
    /// Number of requests to one warm process of each program, from 1 to 10,000.
    #[arg(long, value_name = "N", default_value = "200", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub warm: u16,
    /// Also repeat the measurement with the share of a processor that Lambda gives a
    /// function with 256 MB. Requires permission to create control groups.
    #[arg(long)]
    pub cpu_share: bool,
    /// Exit with an error if a goal is missed.
    #[arg(long)]
    pub check: bool,
    /// Print JSON instead of tables.
    #[arg(long)]
    pub json: bool,
}

/// `dev bench`. Returns false only if `--check` was given and a goal was missed.
///
/// # Errors
/// If a function is not built, does not start or fails.
pub async fn bench(command: BenchCommand) -> anyhow::Result<bool> {
    let folder = match &command.bin_dir {
        Some(folder) => folder.clone(),
        None => built_beside()?,
    };
    let mut programs = program::functions(&folder, &command.functions)?;
    let notes = Notes {
        are_printed: !command.json,
    };
    for other in [others::node().await, others::python().await] {
        match other {
            Ok(program) => programs.push(program),
            Err(error) => notes.add(&format!("not measured: {error:#}")),
        }
    }
    if cfg!(debug_assertions) {
        notes.add("`dev` is a debug build, so its own overhead in each time is larger");
    }
    let endpoint = endpoint(&folder);
    if endpoint.is_none() {
        notes.add(
            "the endpoint runs in this process; to run it as a separate process, build it \
             with `cargo build --release -p upstash-local`",
        );
    }
    let site = Site::start(endpoint.as_deref()).await?;
    let plan = Plan {
        runs: command.runs.into(),
        warm: command.warm.into(),
    };
    let measured = everything(&plan, &site, &programs, command.cpu_share, &notes).await;
    site.stop().await;
    let measured = measured?;
    let goals = goals(&measured);
    if command.json {
        println!("{:#}", report::document(&measured, &goals));
    } else {
        println!(
            "\n{} cold starts, {} warm invocations\n",
            plan.runs, plan.warm
        );
        println!("{}\n{}", tables(&measured), report::goals(&goals));
    }
    Ok(!command.check || goals.iter().all(|goal| goal.is_kept))
}

async fn everything(
    plan: &Plan,
    site: &Site,
    programs: &[Program],
    cpu_share: bool,
    notes: &Notes,
) -> anyhow::Result<Vec<Measured>> {
    let variants = variants(site, programs).await?;
    let share = match cpu_share.then(Share::new) {
        Some(Ok(share)) => Some(share),
        Some(Err(error)) => {
            notes.add(&format!(
                "NOT MEASURED: cannot limit the share of a processor: {error:#}"
            ));
            None
        }
        None => None,
    };
    let mut measured = Vec::new();
    for share in std::iter::once(None).chain(share.as_ref().map(Some)) {
        let name = match share {
            Some(_) => "with a share",
            None => "functions",
        };
        let bar = bar(run::steps(plan, &variants), name)?;
        let all = measure(plan, site, &variants, share, &bar).await;
        bar.finish_and_clear();
        measured.extend(all?);
    }
    if share.is_some_and(|share| share.n_throttled() == Some(0)) {
        notes.add("NOT MEASURED: this system accepts a processor limit but does not enforce it");
    }
    Ok(measured)
}

/// Notes that a reader of the numbers needs.
struct Notes {
    are_printed: bool,
}

impl Notes {
    fn add(&self, text: &str) {
        match self.are_printed {
            true => println!("note      {text}"),
            false => eprintln!("note      {text}"),
        }
    }
}

/// Cargo's release folder in the target folder of this program.
fn built_beside() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("cannot find the path of this program")?;
    let target = own.parent().and_then(Path::parent);
    let target = target.context("this program is not in a target folder; set --bin-dir")?;
    Ok(target.join("release"))
}

/// The endpoint binary, built next to the functions or next to this program.
fn endpoint(folder: &Path) -> Option<PathBuf> {
    let built = folder.join("upstash-local");
    built.is_file().then_some(built).or_else(program_beside)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        command: BenchCommand,
    }

    #[test]
    fn without_words_it_is_the_run_that_is_published() {
        let command = Arguments::parse_from(["bench"]).command;
        assert_eq!((command.runs, command.warm), (20, 200));
        assert!(command.functions.is_empty() && command.bin_dir.is_none());
        assert!(!command.check && !command.cpu_share && !command.json);
    }

    #[test]
    fn no_cold_start_at_all_is_refused() {
        assert!(Arguments::try_parse_from(["bench", "--runs", "0"]).is_err());
    }
}
