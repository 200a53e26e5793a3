//! Faults on demand: what a network or a service can do to a request.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FaultAction {
    /// The connection is closed; nothing is executed.
    DropBefore,
    /// Executed and committed; the connection is closed without a reply.
    DropAfterCommit,
    /// Executed after this time. In JSON: `{"delay": milliseconds}`.
    #[serde(with = "milliseconds")]
    Delay(Duration),
    /// Executed twice, as if a proxy had resent it. The second reply is returned.
    Duplicate,
    /// Answered with this HTTP status; nothing is executed.
    Status(u16),
    /// Executed and committed, then answered with this HTTP status.
    StatusAfterCommit(u16),
    /// Answered as if the quota were used up; nothing is executed.
    QuotaExceeded,
    /// Answered with this error; nothing is executed. In JSON: `{"error": "LOADING"}`.
    Error(Failure),
    /// Executed; the connection is closed in the middle of the body.
    TruncateBody,
    /// Answered with this HTTP status and an HTML page; nothing is executed.
    NotJson(u16),
}

/// Errors of a server that cannot run commands at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Failure {
    ReadOnly,
    Loading,
    MasterDown,
    TryAgain,
    ClusterDown,
    Busy,
    NoReplicas,
    Oom,
    /// The database of the hosted service is full.
    Capacity,
}

impl Failure {
    pub const ALL: [Failure; 9] = [
        Failure::ReadOnly,
        Failure::Loading,
        Failure::MasterDown,
        Failure::TryAgain,
        Failure::ClusterDown,
        Failure::Busy,
        Failure::NoReplicas,
        Failure::Oom,
        Failure::Capacity,
    ];

    /// The text as Redis or the hosted service sends it.
    pub fn text(self) -> &'static str {
        match self {
            Failure::ReadOnly => "READONLY You can't write against a read only replica.",
            Failure::Loading => "LOADING Redis is loading the dataset in memory",
            Failure::MasterDown => {
                "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."
            }
            Failure::TryAgain => "TRYAGAIN Multiple keys request during rehashing of slot",
            Failure::ClusterDown => "CLUSTERDOWN The cluster is down",
            Failure::Busy => {
                "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."
            }
            Failure::NoReplicas => "NOREPLICAS Not enough good replicas to write.",
            Failure::Oom => "OOM command not allowed when used memory > 'maxmemory'.",
            Failure::Capacity => "ERR DB capacity quota exceeded",
        }
    }
}

mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(delay: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

/// A fault and the requests it applies to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub action: FaultAction,
    /// A command name in the request, or a part of its body or path, ignoring case.
    /// Without it every request matches.
    #[serde(default)]
    pub matching: Option<String>,
    /// How many matching requests pass before the fault applies. Defaults to 0.
    #[serde(default)]
    pub skip: u32,
    /// How many requests it applies to after that. Defaults to 1.
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

impl Fault {
    /// Applies once, to the next request of any kind.
    pub fn new(action: FaultAction) -> Self {
        Self {
            action,
            matching: None,
            skip: 0,
            times: 1,
        }
    }

    /// Limits the fault to requests with this command, or with this text in their body.
    #[must_use]
    pub fn matching(mut self, text: impl Into<String>) -> Self {
        self.matching = Some(text.into());
        self
    }

    /// Lets this many matching requests pass first.
    #[must_use]
    pub fn skip(mut self, n: u32) -> Self {
        self.skip = n;
        self
    }

    /// Applies the fault to this many requests.
    #[must_use]
    pub fn times(mut self, n: u32) -> Self {
        self.times = n;
        self
    }

    fn concerns(&self, commands: &[String], text: &str) -> bool {
        let Some(wanted) = &self.matching else {
            return true;
        };
        let wanted = wanted.to_ascii_lowercase();
        commands.contains(&wanted) || text.contains(&wanted)
    }
}

/// The pending faults, in the order in which they were added.
#[derive(Debug, Default)]
pub struct Faults {
    waiting: Mutex<Vec<Fault>>,
    n_fired: AtomicU64,
}

impl Faults {
    pub fn add(&self, fault: Fault) {
        self.lock().push(fault);
    }

    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Number of requests affected since the start.
    pub fn fired(&self) -> u64 {
        self.n_fired.load(Ordering::SeqCst)
    }

    /// The pending faults with their remaining counts.
    pub fn waiting(&self) -> Vec<Fault> {
        self.lock().clone()
    }

    /// Whether no fault is pending, in which case requests need not be inspected.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Returns the fault for this request, if any. `commands` and `text` are in lower
    /// case.
    pub fn strike(&self, commands: &[String], text: &str) -> Option<FaultAction> {
        let mut waiting = self.lock();
        let index = waiting
            .iter()
            .position(|fault| fault.concerns(commands, text))?;
        let fault = &mut waiting[index];
        if fault.skip > 0 {
            fault.skip -= 1;
            return None;
        }
        let action = fault.action;
        fault.times = fault.times.saturating_sub(1);
        if fault.times == 0 {
            waiting.remove(index);
        }
        self.n_fired.fetch_add(1, Ordering::SeqCst);
        Some(action)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Fault>> {
        // The list is consistent between any two statements, even after a panic.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
