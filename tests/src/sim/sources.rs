//! Jobs that no client enqueues: those of recurring slots, and those that other programs
//! left in a stream. Every drainer handles both.

use super::calls::{Call, EnqueueJob, Slot, Spec};
use super::faults::Fault;
use super::history::{Violation, violation};
use super::producer::{Client, padded, text_of};
use super::world::World;

/// Interval between slots.
const SLOT_MS: i64 = 40_000;
/// Entries taken from the stream per call.
const MOST_ENTRIES: usize = 8;
/// Calls after which a stream without new entries must be empty.
const LAST_CALLS: u32 = 200;

impl Client {
    /// Fires a slot or takes jobs from the stream.
    ///
    /// # Errors
    /// If an invariant breaks.
    pub fn feed(&mut self, world: &mut World) -> Result<(), Violation> {
        // A request in doubt is lost with its environment.
        if self.in_doubt.is_some() && world.strike(Fault::Crash) {
            self.in_doubt = None;
        }
        let (call, n_sent) = match self.in_doubt.take() {
            Some(call) => call,
            None if world.state.foreign.is_empty() || world.random.bool() => (self.slot(world), 0),
            None => (self.foreign(world), 0),
        };
        self.deliver(world, call, n_sent)
    }

    /// Takes jobs from the stream until it is empty.
    ///
    /// # Errors
    /// As for [`Client::feed`].
    pub fn feed_all(&mut self, world: &mut World) -> Result<(), Violation> {
        for _ in 0..LAST_CALLS {
            if world.state.foreign.is_empty() {
                return Ok(());
            }
            let call = self.foreign(world);
            self.deliver(world, call, 0)?;
        }
        let left = &world.state.foreign;
        violation("stuck", format!("never taken from the stream: {left:?}"))
    }

    fn slot(&mut self, world: &mut World) -> Call {
        let name = format!("s{}", world.below(2));
        let now = world.now_ms + self.skew_ms;
        let at = now.div_euclid(SLOT_MS) * SLOT_MS;
        let id = padded(&format!("{name}at{}", at / SLOT_MS));
        let spec = self.plain(world);
        let mut request = self.request(world);
        request.jobs.push(EnqueueJob {
            id: id.clone(),
            priority: spec.priority,
            run_at: spec.run_at,
            slot: Some(Slot {
                name,
                plan: ["hourly", "daily"][usize::from(world.chance(5.0))],
                at,
                late: world.chance(10.0),
                run_late: world.random.bool(),
            }),
            ..EnqueueJob::default()
        });
        Call::Enqueue(request, vec![text_of(&spec, &id)])
    }

    fn foreign(&mut self, world: &mut World) -> Call {
        let entries: Vec<String> = world.state.foreign.iter().cloned().collect();
        let mut request = self.request(world);
        request.stream = Some(true);
        let mut specs = Vec::new();
        for entry in entries.into_iter().take(MOST_ENTRIES) {
            let id = id_of_entry(&entry);
            let spec = self.plain(world);
            specs.push(text_of(&spec, &id));
            request.jobs.push(EnqueueJob {
                id,
                priority: spec.priority,
                run_at: spec.run_at,
                refused: is_malformed(&entry).then_some("no job"),
                entry: Some(entry),
                ..EnqueueJob::default()
            });
        }
        Call::Enqueue(request, specs)
    }

    fn plain(&self, world: &World) -> Spec {
        let now = world.now_ms + self.skew_ms;
        Spec {
            v: 1,
            kind: "good".to_owned(),
            priority: 5,
            max_attempts: 3,
            enqueued: now,
            run_at: now,
            ..Spec::default()
        }
    }
}

/// The job ID of an entry, which is the same for every reader.
pub fn id_of_entry(entry: &str) -> String {
    padded(&format!("e{}", entry.replace('-', "s")))
}

fn is_malformed(entry: &str) -> bool {
    entry.ends_with('5')
}
