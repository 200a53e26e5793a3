//! An operator who cancels, changes, redrives and purges jobs, and pauses the queue.

use super::calls::{Call, JobRequest, Moment, RedriveRequest, RetainRequest};
use super::drainer::day;
use super::history::Violation;
use super::producer::{Client, Ids, MINUTE_MS};
use super::world::World;

impl Client {
    /// Makes a change to some job, or repeats a request whose reply may have been lost.
    ///
    /// # Errors
    /// If an invariant breaks.
    pub fn operate(&mut self, world: &mut World, ids: &Ids) -> Result<(), Violation> {
        let (call, n_sent) = match self.in_doubt.take() {
            Some(call) => call,
            None => (self.order(world, ids), 0),
        };
        self.deliver(world, call, n_sent)
    }

    fn order(&mut self, world: &mut World, ids: &Ids) -> Call {
        let moment = world.moment(self.skew_ms);
        let one = |id: String| JobRequest {
            moment: moment.clone(),
            id,
            priority: None,
            run_at: None,
        };
        match world.below(24) {
            0..7 => Call::Cancel(one(ids.any(world))),
            7..12 => {
                let mut some: Vec<String> = (0..3).map(|_| ids.any(world)).collect();
                some.sort_unstable();
                some.dedup();
                Call::Redrive(RedriveRequest { moment, ids: some })
            }
            12..14 => Call::Purge(one(ids.any(world))),
            14..17 => retain(moment, 10 * MINUTE_MS, 12),
            17 if !world.state.paused => Call::Pause,
            20..24 if world.newer => {
                let mut request = one(ids.any(world));
                match world.random.bool() {
                    true => request.priority = Some([1, 5, 10][world.below(3)]),
                    false => {
                        let later = world.random.i64(-5000..MINUTE_MS);
                        request.run_at = Some(request.moment.now + later);
                    }
                }
                Call::Change(request)
            }
            _ => Call::Resume,
        }
    }
}

/// Deletes jobs that finished `age_ms` ago, and completed jobs beyond `keep`.
pub fn retain(moment: Moment, age_ms: i64, keep: u64) -> Call {
    let now = moment.now;
    Call::Retain(RetainRequest {
        completed_before: now - age_ms,
        failed_before: now - 2 * age_ms,
        completed_count: keep,
        batch: 50,
        days: vec![day(now - 35 * 86_400_000)],
        moment,
    })
}
