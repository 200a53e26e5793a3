//! `POST /api/jobs`: jobs by their type, one or a list.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use shared::http::{Action, ApiError, Reply, Request};
use shared::jobs::{JobRequest, MessageScan};
use shared::queue::JobId;
use shared::redis::Redis;

use crate::State;
use crate::run_at::check_run_at;
use crate::scan::Created;
use crate::store::store;
use crate::terms::{Terms, Wanted};

/// The most jobs of one request.
const MOST: usize = 100;

#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct CreatedJobs {
    jobs: Vec<Created>,
}

pub async fn create(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let inputs: Vec<JobRequest> = request.json_one_or_many(MOST)?;
    let many = inputs.len() > 1;
    let place = |n: usize| match many {
        true => format!("[{n}]."),
        false => String::new(),
    };
    let mut jobs = Vec::with_capacity(inputs.len());
    let mut scans = BTreeMap::new();
    let mut times = Vec::new();
    for (n, input) in inputs.into_iter().enumerate() {
        if let Some(field) = input.misplaced().first() {
            let kind = input.kind();
            let detail = format!("{}{field}: not a field of type {kind}", place(n));
            return Err(ApiError::bad_request(detail));
        }
        times.extend(input.run_at().map(|at| (n, at)));
        if input.is_scan() {
            scans.insert(n, wanted(&input));
        }
        let id = JobId::new(state.queue.clock());
        let mut job = input
            .into_job(id)
            .map_err(|reason| ApiError::bad_request(format!("{}{reason}", place(n))))?;
        job.traceparent = request.trace().map(String::from);
        jobs.push(job);
    }
    if jobs.iter().any(|job| job.kind == MessageScan::KIND) {
        request.limit_as(Action::Message);
    }
    state.queue.check(&jobs)?;
    for (n, at) in times {
        check_run_at(&request, &state.queue, &place(n), Some(at)).await?;
    }
    let terms = Terms::read(&state, &redis, scans.values()).await?;
    for (n, scan) in &scans {
        terms.apply(scan, &place(*n), &mut jobs[*n])?;
    }
    let usual = jobs.iter().map(|job| Created::new(&job.id)).collect();
    let exchange = request.foresee(&Reply::accepted(&CreatedJobs { jobs: usual }));
    let enqueued = store(&state, &redis, jobs, &scans, exchange.as_ref()).await?;
    Ok(Reply::accepted(&CreatedJobs {
        jobs: enqueued.iter().map(Created::from).collect(),
    }))
}

fn wanted(input: &JobRequest) -> Wanted {
    let (guild_id, channel_id) = input.place();
    Wanted {
        guild_id: guild_id.to_owned(),
        channel_id: channel_id.to_owned(),
        priority: input.priority(),
    }
}
