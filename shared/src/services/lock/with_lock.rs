//! Runs work while a lock is held, and stops it when the lock is lost.

use std::time::Duration;

use super::{Error, Held, Locks};
use crate::clock::Deadline;

impl Locks {
    /// Runs `work` under the lock on `resource` and passes it the fence. The lease is
    /// renewed every third of its length while the work runs. If the lease is lost, the
    /// work is dropped at its next await point, and [`Error::Lost`] is returned. What the
    /// work wrote until then must be protected by the fence.
    ///
    /// # Errors
    /// [`Error::Held`] if the lock was not acquired by `deadline`; [`Error::Lost`]; an
    /// error of Redis before the work began.
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
            // A process that slept through its lease must notice before it continues.
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
            // The work is done. The lock ends with its lease.
            let error = crate::telemetry::chain(&error);
            tracing::warn!(error, "a lock could not be released");
        }
        Ok(done)
    }

    /// Renews the lease, and returns when it is lost.
    async fn keep(&self, held: &mut Held, lease: Duration) {
        loop {
            let third = lease / 3;
            let renewal = held.left().saturating_sub(2 * third);
            self.clock.sleep(renewal).await;
            // However long the sleep was, a lease that is over is not renewed: another
            // process may have acquired the lock in between and released it.
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
                    tracing::warn!(error, "the lease of a lock could not be renewed");
                    // Tries again after half of the remaining time, until none is left.
                    self.clock.sleep(held.left() / 2).await;
                }
            }
        }
    }
}
