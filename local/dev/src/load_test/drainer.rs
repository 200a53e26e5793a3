//! A drainer that is invoked until all jobs are done and is killed along the way.
//!
//! Killing a drainer drops its future with everything in it, as if its process had been
//! killed. Jobs in progress are not handed back, and a tick in flight may or may not have
//! been applied. The jobs return to the queue when their lease expires.

use std::sync::Arc;
use std::time::Duration;

use shared::clock::Clock;
use shared::queue::{Consumer, Queue};
use shared::redis::Redis;
use shared::redis::commands::SortedSets as _;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::handler::{Ledger, Trivial};
use super::work::Death;
use crate::functions::DRAIN_TIMEOUT;

/// What one drainer did until all jobs were done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    pub deaths: u64,
    /// Outcomes that the queue rejected because the lease was lost.
    pub refused: u64,
    /// Time with nothing to claim while the leases of killed drainers had not expired
    /// yet.
    pub idle: Duration,
}

pub struct Drainer {
    pub queue: Queue,
    pub redis: Redis,
    pub ledger: Arc<Ledger>,
    pub clock: Clock,
}

impl Drainer {
    /// # Errors
    /// If the endpoint stays unavailable.
    pub async fn run(self) -> anyhow::Result<Drained> {
        let mut drained = Drained::default();
        loop {
            let (sender, mut deaths) = unbounded_channel();
            let handler = Trivial {
                ledger: self.ledger.clone(),
                deaths: sender,
            };
            let consumer = Consumer::new(self.queue.clone(), Arc::new(handler));
            let deadline = self.clock.deadline(DRAIN_TIMEOUT);
            let report = tokio::select! {
                report = consumer.drain(&deadline) => report?,
                () = self.death(&mut deaths) => {
                    drained.deaths += 1;
                    continue;
                }
            };
            drained.refused += u64::from(report.lost);
            if self.redis.zcard(&self.queue.keys().index).await? == 0 {
                return Ok(drained);
            }
            if report.claimed == 0 {
                // Another drainer has the remaining jobs, or the lease of a killed one
                // has to expire.
                let pause = self.queue.config().lease / 8;
                self.clock.sleep(pause).await;
                drained.idle += pause;
            }
        }
    }

    async fn death(&self, deaths: &mut UnboundedReceiver<Death>) {
        match deaths.recv().await {
            Some(Death::InHand) => {}
            Some(Death::After(wait)) => self.clock.sleep(wait).await,
            None => std::future::pending().await,
        }
    }
}

/// Lease duration in a load test. With the deployed value of one minute, every run would
/// wait that long at its end for the last killed drainer's jobs.
pub const LEASE: Duration = Duration::from_secs(3);
