//! The requests that actors send to the queue, as the shipped wrappers send them.

use serde::{Deserialize, Serialize};

/// The version of the scripts that an actor was deployed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The previous release, kept in `tests/fixtures`.
    Before,
    Shipped,
}

/// The fields that every request has.
#[derive(Clone, Debug, Serialize)]
pub struct Moment {
    pub now: i64,
    pub day: String,
    pub aging: i64,
}

#[derive(Clone, Debug, Serialize)]
pub struct TickRequest {
    #[serde(flatten)]
    pub moment: Moment,
    pub token: String,
    pub want: usize,
    pub pick: usize,
    pub lease: i64,
    pub sweep: bool,
    pub replay: bool,
    pub measure: bool,
    pub settle: Vec<Settle>,
    pub renew: Vec<Renew>,
    #[serde(flatten)]
    pub limits: Limits,
}

/// The settings of a queue that a tick carries.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Limits {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_limit: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_limit: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Pace>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Pace {
    pub interval: f64,
    pub burst: u32,
}

#[derive(Clone, Debug, Serialize)]
pub struct Settle {
    pub id: String,
    pub fence: u64,
    pub outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Renew {
    pub id: String,
    pub fence: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct EnqueueRequest {
    #[serde(flatten)]
    pub moment: Moment,
    pub jobs: Vec<EnqueueJob>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cap: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<Batch>,
}

impl EnqueueRequest {
    /// Whether one of its jobs may hasten another job with this spec.
    pub fn hastens(&self, spec: &Spec) -> bool {
        let hastens =
            |job: &EnqueueJob| job.on_unique == Some("hasten") && job.unique == spec.unique;
        spec.unique.is_some() && self.jobs.iter().any(hastens)
    }
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct EnqueueJob {
    pub id: String,
    pub priority: u8,
    pub run_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_unique: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slot: Option<Slot>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<&'static str>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Slot {
    pub name: String,
    pub plan: &'static str,
    pub at: i64,
    pub late: bool,
    pub run_late: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct Batch {
    pub id: String,
    pub total: usize,
    pub last: Successor,
}

/// A job that is enqueued when another has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Successor {
    pub id: String,
    pub spec: Spec,
    pub args: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct RetainRequest {
    #[serde(flatten)]
    pub moment: Moment,
    pub completed_before: i64,
    pub failed_before: i64,
    pub completed_count: u64,
    pub batch: u64,
    pub days: Vec<String>,
}

/// A job and the change to make.
#[derive(Clone, Debug, Serialize)]
pub struct JobRequest {
    #[serde(flatten)]
    pub moment: Moment,
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_at: Option<i64>,
}

#[derive(Clone, Debug, Serialize)]
pub struct RedriveRequest {
    #[serde(flatten)]
    pub moment: Moment,
    pub ids: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct AuditRequest {
    #[serde(flatten)]
    pub moment: Moment,
    pub cursor: String,
    pub count: u32,
    pub parked: bool,
}

/// What an enqueuer stores about a job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    pub v: u8,
    pub kind: String,
    pub priority: u8,
    pub max_attempts: u32,
    pub enqueued: i64,
    pub run_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub then: Vec<Successor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_end: Option<String>,
}

/// A request.
#[derive(Clone, Debug)]
pub enum Call {
    Tick(TickRequest),
    Enqueue(EnqueueRequest, Vec<String>),
    Cancel(JobRequest),
    Change(JobRequest),
    Redrive(RedriveRequest),
    Retain(RetainRequest),
    Purge(JobRequest),
    Audit(AuditRequest),
    Pause,
    Resume,
}

impl Call {
    /// The script that handles it; `None` for a plain command.
    pub fn script(&self) -> Option<&'static str> {
        match self {
            Call::Tick(_) => Some("tick"),
            Call::Enqueue(..) => Some("enqueue"),
            Call::Cancel(_) => Some("cancel"),
            Call::Change(_) => Some("change"),
            Call::Redrive(_) => Some("redrive"),
            Call::Retain(_) => Some("retain"),
            Call::Purge(_) => Some("purge"),
            Call::Audit(_) => Some("audit"),
            Call::Pause | Call::Resume => None,
        }
    }

    /// The arguments in the form of this release.
    pub fn args(&self, version: Version) -> Vec<String> {
        match (self, version) {
            (Call::Cancel(request), Version::Before) => vec![
                request.moment.now.to_string(),
                request.moment.day.clone(),
                request.id.clone(),
            ],
            (Call::Purge(request), Version::Before) => vec![request.id.clone()],
            (Call::Redrive(request), Version::Before) => {
                let moment = &request.moment;
                let mut args = vec![moment.now.to_string(), moment.aging.to_string()];
                args.extend(request.ids.iter().cloned());
                args
            }
            (Call::Tick(request), _) => vec![json(request)],
            (Call::Enqueue(request, specs), _) => {
                let specs = specs.iter().cloned();
                std::iter::once(json(request)).chain(specs).collect()
            }
            (Call::Cancel(request) | Call::Change(request) | Call::Purge(request), _) => {
                vec![json(request)]
            }
            (Call::Redrive(request), _) => vec![json(request)],
            (Call::Retain(request), _) => vec![json(request)],
            (Call::Audit(request), _) => vec![json(request)],
            (Call::Pause | Call::Resume, _) => Vec::new(),
        }
    }

    /// Which of the keys index, records, finished, parked and foreign stream it gets.
    pub fn keys(&self, version: Version) -> &'static [usize] {
        match (self, version) {
            (Call::Enqueue(..), Version::Before) => &[0, 1],
            (Call::Retain(_) | Call::Purge { .. }, Version::Before) => &[1, 2],
            (_, Version::Before) => &[0, 1, 2],
            (Call::Enqueue(request, _), Version::Shipped) if request.stream.is_some() => {
                &[0, 1, 2, 3, 4]
            }
            (_, Version::Shipped) => &[0, 1, 2, 3],
        }
    }
}

fn json(request: &impl Serialize) -> String {
    serde_json::to_string(request).expect("requests hold text and numbers")
}
