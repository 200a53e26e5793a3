//! A drainer that is invoked until all is done, and dies on the way.
//!
//! A death drops the future of the drain with everything in it, as when the process is
//! killed: jobs in hand are not given back, a tick on its way may have been applied or
//! not. What it held comes back when its lease ends.

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

/// What a drainer did until all was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    pub deaths: u64,
    /// Outcomes not accepted, because the lease was lost.
    pub refused: u64,
    /// Time without anything to claim, while the leases of the dead were to end.
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
    /// When the endpoint stays away.
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
                // Another drainer has what is left, or a dead one's lease has to end.
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

/// How long a lease is in a load test. A minute, as deployed, would have each run wait
/// that long for what the last death left.
pub const LEASE: Duration = Duration::from_secs(3);
