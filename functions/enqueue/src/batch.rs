//! `POST /api/jobs`: accepts one job or a list of jobs of any type.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use shared::http::{
    Action, ApiError, FieldCode, FieldError, Invalid, OneOrMany, Pending, Reply, Spec,
};
use shared::jobs::{JobRequest, MessageScan, TypedJobRequest};
use shared::openapi::Operation;
use shared::queue::{self, JobId, NewJob, Queue};

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
enum Jobs {
    One(TypedJobRequest),
    Many(#[schemars(length(min = 1, max = 100))] Vec<TypedJobRequest>),
}

pub fn operations() -> Vec<Operation> {
    vec![
        CREATE
            .operation().describe("Creates one job, or up to 100 at once, each of the type it names. If any of them is refused, none is created. The reply lists them in the order of the request. A request that holds jobs for single messages counts against the `message` limit, any other against the `api` limit.")
            .body::<Jobs>()
            .reply::<CreatedJobs>(202, "The jobs were created."),
    ]
}

pub async fn create(pending: Pending<State>) -> Result<Reply, ApiError> {
    let (items, is_array) = match pending.json_one_or_many::<JobRequest>(MOST)? {
        OneOrMany::One(item) => (vec![item], false),
        OneOrMany::Many(items) => (items, true),
    };
    let index = |n: usize| is_array.then_some(n);
    let mut jobs = Vec::with_capacity(items.len());
    let mut scans = BTreeMap::new();
    let mut times = Vec::new();
    let mut wrong = Vec::new();
    for (n, input) in items.into_iter().enumerate() {
        let kind = input.kind();
        wrong.extend(input.misplaced().into_iter().map(|field| {
            let detail = format!("not a field of type {kind}");
            FieldError::field(field, FieldCode::Unknown, detail).in_item(index(n))
        }));
        times.push((index(n), input.run_at()));
        if input.is_scan() {
            scans.insert(n, target(&input));
        }
        match input.into_job(JobId::new(pending.clock())) {
            Ok(mut job) => {
                job.traceparent = pending.trace().map(String::from);
                jobs.push(job);
            }
            Err(error) => wrong.push(error.in_item(index(n))),
        }
    }
    if let Some(wrong) = Invalid::of(wrong) {
        return Err(wrong.into());
    }
    let has_messages = jobs.iter().any(|job| job.kind == MessageScan::KIND);
    let cx = match has_messages {
        true => pending.begin_as(Action::Message),
        false => pending.begin(),
    };
    check_storable(&cx.queue(), &jobs, index)?;
    check_run_at(&cx, &times).await?;
    let policy = ScanPolicy::read(&cx, scans.values()).await?;
    for (n, scan) in &scans {
        policy.apply(scan, index(*n), &mut jobs[*n])?;
    }
    let usual = jobs.iter().map(|job| Created::new(&job.id)).collect();
    let exchange = cx.store_with_work(&Reply::accepted(&CreatedJobs { jobs: usual }));
    let enqueued = store(&cx, jobs, &scans, exchange.as_ref()).await?;
    Ok(Reply::accepted(&CreatedJobs {
        jobs: enqueued.iter().map(Created::from).collect(),
    }))
}

/// # Errors
/// 400 that names what the queue does not store, of each job.
fn check_storable(
    queue: &Queue,
    jobs: &[NewJob],
    index: impl Fn(usize) -> Option<usize>,
) -> Result<(), ApiError> {
    let mut wrong = Vec::new();
    for (n, job) in jobs.iter().enumerate() {
        match queue.check(std::slice::from_ref(job)) {
            Ok(()) => {}
            Err(queue::Error::Invalid(text)) => {
                wrong.push(FieldError::of_text(&text).in_item(index(n)));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Invalid::of(wrong).map_or(Ok(()), |wrong| Err(wrong.into()))
}

fn target(input: &JobRequest) -> ScanTarget {
    let (guild_id, channel_id) = input.place();
    ScanTarget {
        guild_id: guild_id.to_owned(),
        channel_id: channel_id.to_owned(),
        priority: input.priority(),
    }
}
