//! Waits for a lock.

use std::time::Duration;

use super::{Error, Held, Locks};
use crate::clock::Deadline;

/// The longest pause. The pause before try `n` is random, between half of `100 ms · 2^n`
/// and all of it.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

impl Locks {
    /// Acquires the lock on `resource`. Tries again with growing pauses until `deadline`. A
    /// pause never lasts past the deadline, and there is none after the last try.
    ///
    /// # Errors
    /// [`Error::Held`] if another process held the lock all the time. An error of Redis is
    /// returned immediately.
    pub async fn acquire(
        &self,
        resource: &str,
        lease: Duration,
        deadline: &Deadline,
    ) -> Result<Held, Error> {
        let mut pause = Duration::from_millis(100);
        loop {
            if let Some(held) = self.try_acquire(resource, lease).await? {
                return Ok(held);
            }
            let left = deadline.remaining();
            if left.is_zero() {
                return Err(Error::Held {
                    resource: resource.to_owned(),
                });
            }
            let jittered = pause.mul_f64(0.5 + 0.5 * fastrand::f64());
            self.clock.sleep(jittered.min(left)).await;
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }
}
