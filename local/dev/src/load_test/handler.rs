//! The trivial job handler and a record of the jobs it ran.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use indicatif::ProgressBar;
use serde_json::{Value, json};
use shared::queue::{ActiveJob, EndedJob, JobHandler, Outcome};
use tokio::sync::mpsc::UnboundedSender;

use super::work::{Death, Fate};

/// A record of what all drainers of a run have run.
pub struct Ledger {
    fates: Vec<Fate>,
    runs: Vec<AtomicU32>,
    died: Vec<AtomicBool>,
    done: Vec<AtomicBool>,
    bar: ProgressBar,
}

impl Ledger {
    pub fn new(fates: Vec<Fate>, bar: ProgressBar) -> Ledger {
        Ledger {
            runs: fates.iter().map(|_| AtomicU32::new(0)).collect(),
            died: fates.iter().map(|_| AtomicBool::new(false)).collect(),
            done: fates.iter().map(|_| AtomicBool::new(false)).collect(),
            fates,
            bar,
        }
    }

    /// How many times a handler was started.
    pub fn runs(&self) -> u64 {
        let runs = self.runs.iter();
        runs.map(|n| u64::from(n.load(Ordering::Relaxed))).sum()
    }

    /// How job `n` kills its drainer. Each job does so at most once.
    fn death(&self, n: usize) -> Option<Death> {
        let death = self.fates[n].death?;
        let first = !self.died[n].swap(true, Ordering::Relaxed);
        first.then_some(death)
    }

    fn done(&self, n: usize) {
        if !self.done[n].swap(true, Ordering::Relaxed) {
            self.bar.inc(1);
        }
    }
}

/// Does nothing, fails if its fate says so, or kills its drainer through `deaths`.
pub struct Trivial {
    pub ledger: Arc<Ledger>,
    pub deaths: UnboundedSender<Death>,
}

impl JobHandler for Trivial {
    fn run(&self, job: ActiveJob) -> BoxFuture<'static, Outcome> {
        let (ledger, deaths) = (self.ledger.clone(), self.deaths.clone());
        async move {
            let Some(n) = number(job.args()).filter(|n| *n < ledger.fates.len()) else {
                return Outcome::Fail {
                    reason: format!("this job does not belong to this run: {}", job.args()),
                };
            };
            ledger.runs[n].fetch_add(1, Ordering::Relaxed);
            if let Some(death) = ledger.death(n) {
                // The send fails only if the drainer is already dead.
                let _ = deaths.send(death);
                if death == Death::InHand {
                    std::future::pending::<()>().await;
                }
            }
            if ledger.fates[n].fails && job.number == 1 {
                return Outcome::Retry {
                    reason: "the first attempt fails".to_owned(),
                    after: None,
                };
            }
            ledger.done(n);
            Outcome::Done(json!({ "n": n }))
        }
        .boxed()
    }

    /// The verdict finds any job that ended without its handler.
    fn ended(&self, _: EndedJob) -> BoxFuture<'static, ()> {
        async {}.boxed()
    }
}

fn number(args: &str) -> Option<usize> {
    let args: Value = serde_json::from_str(args).ok()?;
    usize::try_from(args["n"].as_u64()?).ok()
}
