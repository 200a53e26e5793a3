//! The functions, and what each is asked: an event of `events/` that succeeds.

/// A function and its event.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub name: &'static str,
    pub event: &'static str,
    /// The event speaks of the job that `JOB` names.
    pub asks_for_job: bool,
    /// It asks Discord, and so reads the bot's token.
    pub asks_discord: bool,
    /// A built binary is smaller than this, in bytes.
    pub largest_bytes: u64,
}

/// The job the events speak of.
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

/// Every function of `functions/`. A drain finds an empty queue, as it does most minutes.
pub const CASES: [Case; 11] = [
    Case {
        asks_for_job: true,
        ..case!("admin", "admin-http-queues")
    },
    Case {
        asks_for_job: true,
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
];

/// What the programs in other languages are asked too.
pub fn health() -> &'static str {
    include_str!("../../../../events/health-http-redis.json")
}

impl Case {
    /// The case of the function `name`.
    pub fn of(name: &str) -> Option<Case> {
        CASES.into_iter().find(|case| case.name == name)
    }

    /// It answers callers.
    pub fn is_route(&self) -> bool {
        self.name != "drain"
    }
}
