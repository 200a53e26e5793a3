//! `GET /api/jobs/{jobId}` and `GET /api/jobs`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::http::{ApiError, Context, Limit, PageCursor, Reply, Spec, unknown_job};
use shared::jobs::TypedJob;
use shared::openapi::Operation;
use shared::queue::{Cursor, Job, JobId, JobState};

pub const ONE: Spec<OneJob> = Spec::get("/api/jobs/{jobId}", "getJob", "Get a job");

pub const LIST: Spec<(), Filter> = Spec::get("/api/jobs", "listJobs", "List jobs");

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OneJob {
    /// The id of the job, as the reply to its request gave it.
    pub job_id: JobId,
}

#[derive(Deserialize, JsonSchema)]
pub struct Filter {
    /// Lists only jobs in this state. Without it, jobs in every state are listed: first the
    /// active ones, then waiting, delayed, cancelled, failed and completed.
    state: Option<JobState>,
    /// Where the page begins: the cursor that came with the page before. Without it, the
    /// first page.
    cursor: Option<PageCursor>,
    /// How many jobs the page holds at most.
    #[serde(default)]
    limit: Limit<20, 100>,
}

/// A page of jobs.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "JobPage")]
struct Page {
    /// The jobs, in their order.
    #[schemars(with = "Vec<TypedJob>")]
    jobs: Vec<Job>,
    /// Send it as `cursor` to get the next page. `null` on the last page.
    next_cursor: Option<String>,
}

pub fn operations() -> Vec<Operation> {
    vec![
        ONE.operation().describe("Returns a job in any state. `progress` says how far it is, `returnvalue` what a completed job did, and `errors` why its attempts failed. A finished job is removed when its retention time ends; from then on the reply is 404. A job that was created a moment ago may not have reached the replica that was asked; then the reply is 503 with `Retry-After`.")
            .reply::<TypedJob>(200, "The job.")
            .problems(&[404]),
        LIST.operation().describe("Lists the jobs in one state, or in every state. Unfinished jobs come in the order in which they will run, finished jobs newest first.").reply::<Page>(200, "A page of jobs."),
    ]
}

pub async fn one(cx: Context<(), OneJob>) -> Result<Reply, ApiError> {
    let id = &cx.path.job_id;
    match cx.queue().job(id).await? {
        Some(job) => Ok(Reply::ok(&job)),
        None => Err(unknown_job(&cx, id, "job")),
    }
}

pub async fn list(cx: Context<(), (), Filter>) -> Result<Reply, ApiError> {
    let Filter {
        state,
        cursor,
        limit,
    } = &cx.query;
    let place = cx.place(cursor.as_ref(), Cursor::parse)?;
    let (jobs, next) = cx.queue().list(*state, place, limit.get()).await?;
    Ok(Reply::ok(&Page {
        jobs,
        next_cursor: next.map(|next| cx.next_cursor(&next)),
    }))
}
