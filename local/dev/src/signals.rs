//! Being told to stop.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What Ctrl-C and a service manager send. Caught from here on: one that comes before it is
/// waited for is not lost, and ends nothing half-way.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// # Errors
    /// When signals cannot be caught.
    pub fn catch() -> std::io::Result<Signals> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for one.
    pub async fn told_to_stop(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
