//! The functions to measure, each with an event from `events/` that succeeds.

/// A function and its event.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub name: &'static str,
    pub event: &'static str,
    /// Whether the event refers to the job `JOB`.
    pub asks_for_job: bool,
    /// Whether the function calls Discord, and therefore reads the bot token.
    pub asks_discord: bool,
    /// Upper limit for the size of the built binary, in bytes.
    pub largest_bytes: u64,
}

/// The job that the events refer to.
pub const JOB: &str = "01KB8D00000000000000000000";

const ROUTE_BYTES: u64 = 7_000_000;
const ENQUEUE_BYTES: u64 = 9_000_000;
const DRAIN_BYTES: u64 = 10_000_000;

macro_rules! case {
    ($name:literal, $event:literal) => {
        Case {
            name: $name,
            event: include_str!(concat!("../../../../events/", $event, ".json")),
            asks_for_job: false,
            asks_discord: false,
            largest_bytes: ROUTE_BYTES,
        }
    };
}

/// One case per function in `functions/`. The drain finds an empty queue, as it usually
/// does when the schedule starts it.
pub const CASES: [Case; 12] = [
    Case {
        asks_for_job: true,
        ..case!("admin", "admin-http-queues")
    },
    Case {
        asks_for_job: true,
        asks_discord: true,
        ..case!("clips", "clips-http-list")
    },
    Case {
        asks_discord: true,
        largest_bytes: DRAIN_BYTES,
        ..case!("drain", "drain-schedule")
    },
    Case {
        largest_bytes: ENQUEUE_BYTES,
        ..case!("enqueue", "enqueue-http-scan")
    },
    Case {
        asks_discord: true,
        ..case!("guilds", "guilds-http-guild")
    },
    case!("health", "health-http-redis"),
    Case {
        asks_for_job: true,
        ..case!("jobs", "jobs-http-get")
    },
    Case {
        asks_for_job: true,
        ..case!("scan-statuses", "scan-statuses-http-channel")
    },
    Case {
        asks_for_job: true,
        ..case!("scan-stream", "scan-stream-http-read")
    },
    Case {
        asks_for_job: true,
        ..case!("scans-current", "scans-current-http-list")
    },
    case!("sessions", "sessions-http-sign-in"),
    case!("uploads", "uploads-http-begin"),
];

/// The event for `health`, which the Node and Python programs answer too.
pub fn health() -> &'static str {
    include_str!("../../../../events/health-http-redis.json")
}

impl Case {
    /// The case of the function `name`.
    pub fn of(name: &str) -> Option<Case> {
        CASES.into_iter().find(|case| case.name == name)
    }

    /// Whether the function answers HTTP requests.
    pub fn is_route(&self) -> bool {
        self.name != "drain"
    }
}
