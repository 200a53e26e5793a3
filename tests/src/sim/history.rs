//! The history of a run, and the invariants that it and the state must satisfy.

use std::collections::{BTreeMap, BTreeSet};

use shared::queue::layout::COUNTERS;
use upstash_local::DirectReply;

use super::calls::{Call, Version};
use super::invariants::{check_limits, check_parked, check_uniques, most_billed};
use super::moves::{Change, Move, is_healable};
use super::sources::id_of_entry;
use super::state::{State, differences};

/// A broken invariant with details.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub rule: &'static str,
    pub text: String,
}

pub fn violation<T>(rule: &'static str, text: impl Into<String>) -> Result<T, Violation> {
    Err(Violation {
        rule,
        text: text.into(),
    })
}

/// A call that was carried out.
pub struct Step<'a> {
    pub call: &'a Call,
    pub version: Version,
    pub before: &'a State,
    pub after: &'a State,
    pub reply: &'a DirectReply,
    /// Whether the script was made to fail.
    pub cut: bool,
    pub n_billed: u64,
    /// The true time at which it was carried out.
    pub true_ms: i64,
    /// The maximum difference between two clocks.
    pub skew_ms: i64,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// The token under which each fence was handed out.
    pub(super) handed: BTreeMap<u64, String>,
    accepted: BTreeSet<u64>,
}

#[derive(Clone, Debug, Default)]
pub struct History {
    pub(super) known: BTreeMap<String, Known>,
    /// Jobs whose enqueueing was acknowledged.
    acknowledged: BTreeSet<String>,
    /// Jobs that a script failed with and whose places are still inconsistent.
    pub unhealed: BTreeSet<String>,
    /// Parked jobs that a rollback removed from the list.
    pub unlisted: BTreeSet<String>,
    /// Jobs whose place in the index may have another time than their record.
    pub(super) undated: BTreeSet<String>,
    pub moves: BTreeMap<Move, u64>,
    /// The expected values of the queue's own counters.
    counted: BTreeMap<&'static str, i64>,
    pub n_healed: u64,
}

impl History {
    /// Checks a call and its effects.
    ///
    /// # Errors
    /// The first invariant that is broken.
    pub fn judge(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        let n_unhealed = self.unhealed.len() as u64;
        self.check_answer(step)?;
        for (id, before, after) in differences(step.before, step.after) {
            let change = Change {
                id,
                before,
                after,
                state: step.before,
                end: step.after,
                call: step.call,
            };
            let moves = change
                .judge()
                .or_else(|why| violation("transition", format!("{id}: {why}")))?;
            for moved in moves.into_iter().flatten() {
                self.moved(id, moved, step)?;
            }
        }
        self.check_places(step)?;
        check_uniques(step.after, &self.unhealed)?;
        check_parked(step.after, &self.unlisted)?;
        if let Call::Tick(request) = step.call {
            check_limits(request, step, &self.unhealed)?;
        }
        self.check_foreign(step)?;
        self.check_counters(step.after)?;
        self.check_batches(step)?;
        let most = most_billed(step) + 3 * n_unhealed;
        if step.n_billed > most {
            return violation(
                "I12 cost",
                format!(
                    "{} billed, at most {most}, unhealed {n_unhealed}",
                    step.n_billed
                ),
            );
        }
        Ok(())
    }

    /// Accepts the stored state as known after a rollback. If histories were merged
    /// (`merged`), the keys may be of different moments.
    pub fn rebase(&mut self, state: &State, merged: bool) {
        self.undated.clear();
        if merged {
            self.undated.extend(state.jobs.keys().cloned());
        }
        self.known.clear();
        // A job that was half stored then belongs to its enqueuer again.
        self.acknowledged.retain(|id| {
            let job = state.record(id);
            job.is_some_and(|job| job.is_consistent() || job.header.is_some())
        });
        self.unhealed = state
            .jobs
            .iter()
            .filter(|(_, job)| !job.is_consistent())
            .map(|(id, _)| id.clone())
            .collect();
        let parked = state.jobs.iter().filter(|(_, job)| job.is_parked());
        self.unlisted = parked
            .map(|(id, _)| id.clone())
            .filter(|id| !state.parked.contains(id))
            .collect();
        for name in COUNTERS {
            self.counted.insert(name, state.counter(name));
        }
    }

    /// Acknowledged jobs that were neither purged nor deleted by retention.
    pub fn acknowledged(&self) -> &BTreeSet<String> {
        &self.acknowledged
    }

    /// The caller of an enqueue got its reply.
    pub fn acknowledge(&mut self, id: &str) {
        self.acknowledged.insert(id.to_owned());
    }

    fn moved(&mut self, id: &str, moved: Move, step: &Step<'_>) -> Result<(), Violation> {
        *self.moves.entry(moved).or_default() += 1;
        let counters: &[&'static str] = match moved {
            "completed" => &["completed"],
            "failed" | "expired" | "refused" => &["failed"],
            "retried" => &["retried"],
            "cancelled while waiting" | "cancelled by settling" | "replaced" => &["cancelled"],
            "cancelled by the sweep" => &["cancelled", "stalled"],
            "swept for good" => &["failed", "stalled"],
            "swept" | "swept and claimed" => &["stalled"],
            _ => &[],
        };
        for name in counters {
            *self.counted.entry(name).or_default() += 1;
        }
        if matches!(
            moved,
            "completed" | "failed" | "retried" | "snoozed" | "cancelled by settling"
        ) {
            let fence = step.before.record(id).map_or(0, |record| record.fence());
            let known = self.known.entry(id.to_owned()).or_default();
            if !known.accepted.insert(fence) {
                return violation("I3 accepted once", format!("{id}: fence {fence} twice"));
            }
        }
        // Enqueued because another job ended, of which some caller knows.
        if matches!(moved, "stored by its chain" | "stored by its batch") {
            self.acknowledged.insert(id.to_owned());
        }
        if moved == "completed"
            && let Some(spec) = step.before.record(id).and_then(|job| job.spec.as_ref())
            && let Some(next) = spec.value.then.first()
            && step
                .after
                .record(&next.id)
                .is_none_or(|next| next.spec.is_none())
        {
            return violation("chain", format!("{id} completed without {}", next.id));
        }
        if matches!(moved, "purged" | "retained") {
            self.known.remove(id);
            self.acknowledged.remove(id);
        }
        Ok(())
    }

    fn check_places(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        let died = step.cut && matches!(step.reply, DirectReply::Error(_));
        let in_stream: Vec<String> = step.after.foreign.iter().map(|e| id_of_entry(e)).collect();
        for (id, job) in &step.after.jobs {
            // What is still in the stream is read again.
            let is_healable = is_healable(job) || in_stream.contains(id);
            if job.is_consistent() {
                self.n_healed += u64::from(self.unhealed.remove(id));
            } else if !is_healable && !self.unhealed.contains(id) {
                return violation("I1 place", format!("{id}: lost: {}", describe(job)));
            } else if died {
                self.unhealed.insert(id.clone());
            } else if !self.unhealed.contains(id) {
                return violation("I1 place", format!("{id}: {}", describe(job)));
            }
        }
        self.unhealed.retain(|id| step.after.jobs.contains_key(id));
        for id in &self.acknowledged {
            if !step.after.jobs.contains_key(id) {
                return violation("I4 acknowledged", format!("{id} vanished"));
            }
        }
        let n_places = step.after.jobs.values().fold(0, |n, job| {
            n + usize::from(job.index.is_some()) + usize::from(job.finished.is_some())
        });
        let n_jobs = step
            .after
            .jobs
            .values()
            .filter(|job| job.spec.is_some())
            .count();
        if self.unhealed.is_empty() && n_places != n_jobs {
            return violation("I9 sum", format!("{n_jobs} jobs in {n_places} places"));
        }
        Ok(())
    }

    /// An entry that leaves the foreign stream must have become a job.
    fn check_foreign(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        for entry in step.before.foreign.difference(&step.after.foreign) {
            let id = id_of_entry(entry);
            if step.after.record(&id).is_none_or(|job| job.spec.is_none()) {
                return violation("foreign", format!("{entry} went and left no job"));
            }
            self.acknowledged.insert(id);
        }
        Ok(())
    }

    /// A batch counts each job once, and the last one enqueues its end job.
    fn check_batches(&self, step: &Step<'_>) -> Result<(), Violation> {
        for (id, batch) in &step.after.batches {
            let flag = |state: &State, id: &str| {
                let header = state.record(id).and_then(|job| job.header.as_ref());
                header.is_some_and(|header| header.value.batched)
            };
            let newly = step.after.jobs.iter().filter(|(job_id, job)| {
                let of = job.spec.as_ref().and_then(|spec| spec.value.batch.as_ref());
                of == Some(id) && flag(step.after, job_id) && !flag(step.before, job_id)
            });
            let (n_newly, is) = (newly.count() as i64, batch.total - batch.left);
            let before = step.before.batches.get(id);
            let was = before.map_or(0, |batch| batch.total - batch.left);
            if is - was != n_newly || is > batch.total {
                return violation("batch", format!("{id} counted {is}, before {was}"));
            }
            if batch.left > 0 {
                continue;
            }
            let was = step.before.batches.get(id).map(|batch| batch.left);
            if was != Some(0) && step.after.record(id).is_none_or(|end| end.spec.is_none()) {
                return violation("batch", format!("{id} ended without its last job"));
            }
        }
        Ok(())
    }

    fn check_counters(&self, state: &State) -> Result<(), Violation> {
        for name in COUNTERS {
            let counted = self.counted.get(name).copied().unwrap_or(0);
            if state.counter(name) != counted {
                return violation(
                    "counters",
                    format!(
                        "{name} is {}, was seen {counted} times",
                        state.counter(name)
                    ),
                );
            }
        }
        Ok(())
    }
}

fn describe(job: &super::state::Record) -> String {
    let header = job.header.as_ref().map(|header| header.text.as_str());
    format!(
        "spec {}, header {header:?}, index {:?}, finished {:?}",
        job.spec.is_some(),
        job.index,
        job.finished
    )
}
