//! `POST /api/jobs`: accepts one job or a list of jobs of any type.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use shared::http::{Action, ApiError, Items, Pending, Reply, Spec};
use shared::jobs::{JobRequest, MessageScan, TypedJobRequest};
use shared::openapi::Operation;
use shared::queue::JobId;

use crate::State;
use crate::policy::{ScanPolicy, ScanTarget};
use crate::run_at::check_run_at;
use crate::scan::Created;
use crate::store::store;

/// It counts as the kinds of its jobs say.
pub const CREATE: Spec = Spec::post("/api/jobs", "createJobs", "Create jobs");

/// Maximum number of jobs per request.
const MOST: usize = 100;

/// The jobs that were created.
#[derive(Serialize, JsonSchema)]
struct CreatedJobs {
    /// The jobs, in the order of the request.
    jobs: Vec<Created>,
}

/// One job, or a list of them.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "JobRequests")]
#[allow(dead_code, reason = "only its schema is used")]
enum OneOrMany {
    One(TypedJobRequest),
    Many(#[schemars(length(min = 1, max = 100))] Vec<TypedJobRequest>),
}

pub fn operations() -> Vec<Operation> {
    vec![
        CREATE
            .operation().describe("Creates one job, or up to 100 at once, each of the type it names. If any of them is refused, none is created. The reply lists them in the order of the request. A request that holds jobs for single messages counts against the `message` limit, any other against the `api` limit.")
            .body::<OneOrMany>()
            .reply::<CreatedJobs>(202, "The jobs were created."),
    ]
}

pub async fn create(pending: Pending<State>) -> Result<Reply, ApiError> {
    let Items { items, is_list } = pending.json_one_or_many::<JobRequest>(MOST)?;
    let place = |n: usize| match is_list {
        true => format!("[{n}]."),
        false => String::new(),
    };
    let mut jobs = Vec::with_capacity(items.len());
    let mut scans = BTreeMap::new();
    let mut times = Vec::new();
    for (n, input) in items.into_iter().enumerate() {
        if let Some(field) = input.misplaced().first() {
            let kind = input.kind();
            let detail = format!("{}{field}: not a field of type {kind}", place(n));
            return Err(ApiError::bad_request(detail));
        }
        times.extend(input.run_at().map(|at| (n, at)));
        if input.is_scan() {
            scans.insert(n, target(&input));
        }
        let id = JobId::new(pending.clock());
        let mut job = input
            .into_job(id)
            .map_err(|reason| ApiError::bad_request(format!("{}{reason}", place(n))))?;
        job.traceparent = pending.trace().map(String::from);
        jobs.push(job);
    }
    let has_messages = jobs.iter().any(|job| job.kind == MessageScan::KIND);
    let cx = match has_messages {
        true => pending.begin_as(Action::Message),
        false => pending.begin(),
    };
    cx.queue().check(&jobs)?;
    for (n, at) in times {
        check_run_at(&cx, &place(n), Some(at)).await?;
    }
    let policy = ScanPolicy::read(&cx, scans.values()).await?;
    for (n, scan) in &scans {
        policy.apply(scan, &place(*n), &mut jobs[*n])?;
    }
    let usual = jobs.iter().map(|job| Created::new(&job.id)).collect();
    let exchange = cx.store_with_work(&Reply::accepted(&CreatedJobs { jobs: usual }));
    let enqueued = store(&cx, jobs, &scans, exchange.as_ref()).await?;
    Ok(Reply::accepted(&CreatedJobs {
        jobs: enqueued.iter().map(Created::from).collect(),
    }))
}

fn target(input: &JobRequest) -> ScanTarget {
    let (guild_id, channel_id) = input.place();
    ScanTarget {
        guild_id: guild_id.to_owned(),
        channel_id: channel_id.to_owned(),
        priority: input.priority(),
    }
}
