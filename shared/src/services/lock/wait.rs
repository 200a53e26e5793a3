//! Waiting for a lock.

use std::time::Duration;

use super::{Error, Held, Locks};
use crate::clock::Deadline;

/// The pause before try `n` is random between half of `100 ms · 2^n` and all of it, at
/// most this.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

impl Locks {
    /// Takes the lock of `resource`, asking again with growing pauses until
    /// `deadline`. A pause never outlasts the deadline, and none follows the last try.
    ///
    /// # Errors
    /// [`Error::Held`] when another held it all the time; any of Redis at once.
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
