//! Applies every fault of the network and the database to every request of every service
//! operation. The promises of the services must hold all the same.

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

/// Every fault that the endpoint can produce.
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

/// More consecutive failures than any caller retries, so the error reaches it.
pub const OUTAGE: u32 = 6;

/// One run of operations under a fault.
#[derive(Clone, Debug)]
pub struct Struck {
    fault: Fault,
}

impl Struck {
    /// Arms the fault and starts counting requests.
    pub fn arm(&self, server: &upstash_local::Server) {
        server.faults().add(self.fault.clone());
    }

    /// Disarms the fault.
    pub fn disarm(server: &upstash_local::Server) {
        server.faults().clear();
    }

    /// Whether the client retries successfully, so that no operation may fail. The client
    /// does not retry a definite refusal or an answer from something else.
    pub fn passes(&self) -> bool {
        let is_final = matches!(
            self.fault.action,
            FaultAction::QuotaExceeded | FaultAction::NotJson(200)
        );
        self.fault.times == 1 && !is_final
    }
}

/// Runs `case` once to count its requests. Then runs it under every kind of fault at each
/// request, once as a single failure and once as an outage. Returns how many requests
/// were hit.
pub async fn at_every_request(case: impl AsyncFn(&Struck) -> u64) {
    // An endless fault without effect counts the requests it sees.
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
    // Jitter may save a request, such as a second look at a value that is being loaded.
    assert!(
        n_missed * 10 < n_runs,
        "{n_missed} of {n_runs} struck nothing"
    );
}
