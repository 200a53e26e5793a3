//! What a network and a service can do, done to every request of every operation of the
//! services: what each promises holds all the same.

mod cache;
mod counters;
mod flags;
mod idempotency;
mod limiter;
mod lock;
mod session;

use std::time::Duration;

use upstash_local::{Fault, FaultAction};

use crate::queue::Say;

/// All the endpoint can do to a request.
pub const KINDS: [FaultAction; 12] = [
    FaultAction::DropBefore,
    FaultAction::DropAfterCommit,
    FaultAction::Delay(Duration::from_millis(2)),
    FaultAction::Duplicate,
    FaultAction::Status(500),
    FaultAction::Status(503),
    FaultAction::Status(429),
    FaultAction::StatusAfterCommit(502),
    FaultAction::QuotaExceeded,
    FaultAction::TruncateBody,
    FaultAction::NotJson(200),
    FaultAction::NotJson(502),
];

/// Requests in a row that no caller's patience outlasts: the error reaches it.
pub const OUTAGE: u32 = 6;

/// One run of operations under a fault.
#[derive(Clone, Debug)]
pub struct Struck {
    fault: Fault,
}

impl Struck {
    /// Arms the fault: from here on requests count.
    pub fn arm(&self, server: &upstash_local::Server) {
        server.faults().add(self.fault.clone());
    }

    /// Ends it.
    pub fn disarm(server: &upstash_local::Server) {
        server.faults().clear();
    }

    /// Whether the client asks again and is answered, so that no operation may fail. What
    /// is certainly refused, or answered by something else, is not asked again.
    pub fn passes(&self) -> bool {
        let is_final = matches!(
            self.fault.action,
            FaultAction::QuotaExceeded | FaultAction::NotJson(200)
        );
        self.fault.times == 1 && !is_final
    }
}

/// Runs `case` once to count its requests, and then under every kind of fault at each of
/// them, once and as an outage. It answers how many requests were struck.
pub async fn at_every_request(case: impl AsyncFn(&Struck) -> u64) {
    // A fault that does nothing and never ends counts what it sees.
    let nothing = Fault::new(FaultAction::Delay(Duration::ZERO)).times(u32::MAX);
    let n_requests = case(&Struck { fault: nothing }).await;
    assert!(n_requests > 0);
    let (mut n_runs, mut n_missed) = (0, 0);
    for skip in 0..u32::try_from(n_requests).unwrap() {
        for kind in KINDS {
            for times in [1, OUTAGE] {
                let fault = Fault::new(kind).skip(skip).times(times);
                let _say = Say(format!("under {fault:?}"));
                let struck = case(&Struck { fault }).await;
                n_runs += 1;
                n_missed += u32::from(struck == 0);
            }
        }
    }
    eprintln!("{n_requests} requests, {n_runs} runs");
    // Jitter may save a request, such as a second look at what is loaded meanwhile.
    assert!(
        n_missed * 10 < n_runs,
        "{n_missed} of {n_runs} struck nothing"
    );
}
