//! Calls the scripts and turns their results into types. No other module calls a script.

use serde::Serialize;

use super::Keys;
use super::lua::{
    AUDIT, CANCEL, CHANGE, ENQUEUE, ENQUEUE_ONCE, JOB_STATES, LIST, PURGE, REDRIVE, REDRIVE_ONCE,
    RETAIN, TICK,
};
use super::once::Once;
use super::spec::{StoredResult, Successor};
use crate::json::to_json;
use crate::redis::{Error, Exchange, FromReply, Redis, Reply, Script};

#[derive(Serialize)]
pub(super) struct JobStatesRequest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<&'a [&'a str]>,
    pub unique: &'a [&'a str],
}

/// The scripts, bound to the keys of one queue.
pub(super) struct Scripts<'a> {
    pub redis: &'a Redis,
    pub keys: &'a Keys,
}

/// The time, as every request carries it.
#[derive(Clone, Serialize)]
pub(super) struct Moment {
    pub now: i64,
    pub day: String,
    pub aging: u64,
}

#[derive(Serialize)]
pub(super) struct EnqueueRequest<'a> {
    #[serde(flatten)]
    pub moment: Moment,
    pub jobs: Vec<EnqueueJob<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cap: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<EnqueueBatch<'a>>,
}

#[derive(Clone, Serialize)]
pub(super) struct EnqueueJob<'a> {
    pub id: &'a str,
    pub priority: u8,
    pub run_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_unique: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slot: Option<Slot<'a>>,
    /// The id of the stream entry that the job comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<&'a str>,
    /// Why the job cannot be run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub blob: bool,
}

/// A slot of a recurring job. Each slot has one job.
#[derive(Clone, Serialize)]
pub(super) struct Slot<'a> {
    pub name: &'a str,
    /// The schedule as text.
    pub plan: String,
    pub at: i64,
    /// Whether it began so long ago that it counts as missed.
    pub late: bool,
    /// Whether it gets its job even though it was missed.
    pub run_late: bool,
}

#[derive(Clone, Serialize)]
pub(super) struct EnqueueBatch<'a> {
    pub id: &'a str,
    pub total: usize,
    pub last: &'a Successor,
}

#[derive(Serialize)]
pub(super) struct TickRequest {
    #[serde(flatten)]
    pub moment: Moment,
    pub token: String,
    pub want: usize,
    pub pick: usize,
    pub lease: u64,
    pub sweep: bool,
    pub replay: bool,
    pub measure: bool,
    pub settle: Vec<Settle>,
    pub renew: Vec<Renew>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_limit: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Pace>,
}

/// A rate limit in the form that the scripts calculate with.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Pace {
    /// The time between two jobs, in milliseconds.
    pub interval: f64,
    pub burst: u32,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Settle {
    pub id: String,
    pub fence: u64,
    pub outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<StoredResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Fields that the script will need, so that it reads them together with the job.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Renew {
    pub id: String,
    pub fence: u64,
}

#[derive(Serialize)]
pub(super) struct RetainRequest {
    #[serde(flatten)]
    pub moment: Moment,
    pub completed_before: i64,
    pub failed_before: i64,
    pub completed_count: u64,
    pub batch: u64,
    pub quiet: bool,
    pub days: Vec<String>,
}

/// One job, and the change to make to it.
#[derive(Serialize)]
pub(super) struct JobRequest<'a> {
    #[serde(flatten)]
    pub moment: Moment,
    pub id: &'a str,
    /// Whether the answer to a cancellation names the job's kind.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub kind: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_at: Option<i64>,
}

#[derive(Serialize)]
pub(super) struct RedriveRequest<'a> {
    #[serde(flatten)]
    pub moment: Moment,
    pub ids: Vec<&'a str>,
}

#[derive(Serialize)]
pub(super) struct AuditRequest<'a> {
    #[serde(flatten)]
    pub moment: Moment,
    /// `None` continues where the last page without a cursor ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<&'a str>,
    pub count: u32,
    pub parked: bool,
}

#[derive(Serialize)]
pub(super) struct ListRequest {
    /// The score ranges of the listed states, in order.
    pub ranges: Vec<ListRange>,
    /// The number of jobs to skip in the first range.
    pub offset: u64,
    pub limit: u64,
}

/// A score range in one of the two sets.
#[derive(Serialize)]
pub(super) struct ListRange {
    pub finished: bool,
    pub from: String,
    pub to: String,
    pub newest_first: bool,
}

/// A job's id, header, spec and data.
pub(super) type Parts = (String, String, String, String);

/// The answer of a tick, in its wire form.
pub(super) struct TickAnswer {
    pub settled: Vec<String>,
    pub renewed: Vec<String>,
    pub claimed: Vec<Parts>,
    pub ended: Vec<Parts>,
    pub next_due_ms: i64,
    pub paused: bool,
    pub retained_ms: i64,
    pub waiting: u64,
}

impl FromReply for TickAnswer {
    fn from_reply(reply: Reply) -> Result<Self, Error> {
        let items = <Vec<Reply>>::from_reply(reply)?;
        let [
            settled,
            renewed,
            claimed,
            ended,
            next,
            paused,
            retained,
            waiting,
        ] = <[Reply; 8]>::try_from(items).map_err(|_| Error::UnexpectedReply {
            expected: "the eight parts of a tick",
            found: "an array",
        })?;
        Ok(TickAnswer {
            settled: Vec::from_reply(settled)?,
            renewed: Vec::from_reply(renewed)?,
            claimed: Vec::from_reply(claimed)?,
            ended: Vec::from_reply(ended)?,
            next_due_ms: i64::from_reply(next)?,
            paused: bool::from_reply(paused)?,
            retained_ms: i64::from_reply(retained)?,
            waiting: u64::from_reply(waiting)?,
        })
    }
}

impl Scripts<'_> {
    /// `more` is the stream, if there is one, followed by the blobs. The exchange is made
    /// if every job is new.
    pub async fn enqueue(
        &self,
        request: &EnqueueRequest<'_>,
        specs: Vec<String>,
        more: &[String],
        exchange: Option<&Exchange>,
    ) -> Result<Vec<(String, String)>, Error> {
        let mut args: Vec<String> = std::iter::once(to_json(request)).chain(specs).collect();
        let mut keys = self.all().to_vec();
        keys.extend(more.iter().map(String::as_str));
        let Some(exchange) = exchange else {
            return ENQUEUE.run(&**self.redis, &keys, &args).await;
        };
        // The second word is the answer to a call that was sent twice.
        let words = |job: &EnqueueJob<'_>| ["new", "dup"].map(|word| format!("{word} {}", job.id));
        let words = request.jobs.iter().map(|job| words(job).to_vec()).collect();
        keys.push(&exchange.key);
        args.push(to_json(&Once::new(exchange, words)));
        ENQUEUE_ONCE.run(&**self.redis, &keys, &args).await
    }

    /// Sends one round. The client does not repeat it; the caller sends it again with
    /// `replay`.
    pub async fn tick(&self, request: &TickRequest) -> Result<TickAnswer, Error> {
        TICK.run_once(&**self.redis, &self.all(), &[to_json(request)])
            .await
    }

    pub async fn cancel(&self, request: &JobRequest<'_>) -> Result<String, Error> {
        self.run(&CANCEL, request).await
    }

    pub async fn change(&self, request: &JobRequest<'_>) -> Result<String, Error> {
        self.run(&CHANGE, request).await
    }

    /// The exchange is made if every job is redriven and no job is left over.
    pub async fn redrive(
        &self,
        request: &RedriveRequest<'_>,
        exchange: Option<&Exchange>,
    ) -> Result<Vec<String>, Error> {
        let Some(exchange) = exchange else {
            return self.run(&REDRIVE, request).await;
        };
        let words = vec![vec!["redriven".to_owned()]; request.ids.len()];
        let [index, records, finished, parked] = self.all();
        let keys = [index, records, finished, parked, &exchange.key];
        let args = [to_json(request), to_json(&Once::new(exchange, words))];
        REDRIVE_ONCE.run(&**self.redis, &keys, &args).await
    }

    pub async fn retain(
        &self,
        request: &RetainRequest,
    ) -> Result<(Vec<String>, Vec<String>), Error> {
        self.run(&RETAIN, request).await
    }

    pub async fn purge(&self, request: &JobRequest<'_>) -> Result<(String, Vec<String>), Error> {
        // Never sent twice, because the second answer would be that the job does not exist.
        PURGE
            .run_once(&**self.redis, &self.all(), &[to_json(request)])
            .await
    }

    pub async fn audit(
        &self,
        request: &AuditRequest<'_>,
    ) -> Result<(String, u64, Vec<String>), Error> {
        self.run(&AUDIT, request).await
    }

    /// Returns range, id and score in turn, and four parts of each job in turn.
    pub async fn list(
        &self,
        request: &ListRequest,
    ) -> Result<(Vec<String>, Vec<Option<String>>), Error> {
        let Keys {
            index,
            records,
            finished,
            ..
        } = self.keys;
        let keys = [index.as_str(), records, finished];
        LIST.run(&**self.redis, &keys, &[to_json(request)]).await
    }

    /// Returns five words for each field of the hash `key`.
    pub async fn job_states(
        &self,
        key: &str,
        request: &JobStatesRequest<'_>,
    ) -> Result<Vec<String>, Error> {
        let keys = [key, self.keys.records.as_str()];
        JOB_STATES
            .run(&**self.redis, &keys, &[to_json(request)])
            .await
    }

    async fn run<T: FromReply>(
        &self,
        script: &'static Script,
        request: &impl Serialize,
    ) -> Result<T, Error> {
        script
            .run(&**self.redis, &self.all(), &[to_json(request)])
            .await
    }

    fn all(&self) -> [&str; 4] {
        let Keys {
            index,
            records,
            finished,
            parked,
            ..
        } = self.keys;
        [index, records, finished, parked]
    }
}
