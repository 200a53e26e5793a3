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
    /// Executed twice, as when a middlebox resends; the reply is the second one.
    Duplicate,
    /// Answered with this status; nothing is executed.
    Status(u16),
    /// Executed and committed, then answered with this status.
    StatusAfterCommit(u16),
    /// Answered as when the quota is used up; nothing is executed.
    QuotaExceeded,
    /// Answered with this error; nothing is executed. In JSON: `{"error": "LOADING"}`.
    Error(Failure),
    /// Executed; the body ends half-way and the connection with it.
    TruncateBody,
    /// Answered with this status and a page of HTML; nothing is executed.
    NotJson(u16),
}

/// What a server says that cannot run a command now.
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
    /// The hosted service's database is full.
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

    /// The text, as Redis and the service have it.
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

/// A fault, and the requests it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub action: FaultAction,
    /// The name of a command in the request, or a part of its body or path, in any case.
    /// Without it every request matches.
    #[serde(default)]
    pub matching: Option<String>,
    /// How many matching requests pass first. Defaults to 0.
    #[serde(default)]
    pub skip: u32,
    /// How many requests it strikes after that. Defaults to 1.
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

impl Fault {
    /// The next request of any kind, once.
    pub fn new(action: FaultAction) -> Self {
        Self {
            action,
            matching: None,
            skip: 0,
            times: 1,
        }
    }

    /// Only requests with this command, or with this text in their body.
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

    /// Strikes this many requests.
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

/// The faults in waiting, first come first served.
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

    /// Requests struck since the start.
    pub fn fired(&self) -> u64 {
        self.n_fired.load(Ordering::SeqCst)
    }

    /// The faults still in waiting, with what is left of them.
    pub fn waiting(&self) -> Vec<Fault> {
        self.lock().clone()
    }

    /// Whether any fault waits; saves looking at requests when none does.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// The fault that strikes this request. Names and text are in lower case.
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
        // The list is whole between any two statements, whoever panicked.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
