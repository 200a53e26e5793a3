//! Work that runs while a lock is held, and not beyond.

use std::time::Duration;

use super::{Error, Held, Locks};
use crate::clock::Deadline;

impl Locks {
    /// Runs `work` under the lock of `resource`, given its fence. The lease is renewed
    /// at every third of it while the work runs; when it is lost, the work is dropped
    /// at its next await and [`Error::Lost`] answered. What the work wrote until then
    /// is its own to protect, by the fence.
    ///
    /// # Errors
    /// [`Error::Held`] when the lock was not had by `deadline`, [`Error::Lost`], and
    /// those of Redis before the work began.
    pub async fn with_lock<T, F>(
        &self,
        resource: &str,
        lease: Duration,
        deadline: &Deadline,
        work: impl FnOnce(u64) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = T>,
    {
        let mut held = self.acquire(resource, lease, deadline).await?;
        let work = work(held.fence());
        let done = tokio::select! {
            // A process that slept through its lease must see that before it goes on.
            biased;
            () = self.keep(&mut held, lease) => None,
            done = work => Some(done),
        };
        let Some(done) = done else {
            return Err(Error::Lost {
                resource: resource.to_owned(),
            });
        };
        if let Err(error) = held.release().await {
            // The work is done; the lock ends with its lease.
            let error = crate::telemetry::chain(&error);
            tracing::warn!(error, "a lock was not given back");
        }
        Ok(done)
    }

    /// Renews the lease, and ends when it is lost.
    async fn keep(&self, held: &mut Held, lease: Duration) {
        loop {
            let third = lease / 3;
            let renewal = held.left().saturating_sub(2 * third);
            self.clock.sleep(renewal).await;
            // However the sleep went, a lease that is over is not renewed: another may
            // have held the lock in between and given it back.
            let left = held.left();
            if left.is_zero() {
                return;
            }
            let extended = tokio::select! {
                biased;
                () = self.clock.sleep(left) => return,
                extended = held.extend(lease) => extended,
            };
            match extended {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    let error = crate::telemetry::chain(&error);
                    tracing::warn!(error, "the lease of a lock was not renewed");
                    // Asked again at half of what is left, until nothing is.
                    self.clock.sleep(held.left() / 2).await;
                }
            }
        }
    }
}
