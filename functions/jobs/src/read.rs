//! `GET /api/jobs/{jobId}` and `GET /api/jobs`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::http::{ApiError, Context, Limit, PageCursor, Reply, Spec, unknown_job};
use shared::jobs::TypedJob;
use shared::openapi::Operation;
use shared::queue::{Cursor, Job, JobId, JobState};

pub const ONE: Spec<OneJob> = Spec::get("/api/jobs/{jobId}", "getJob", "A job.");

pub const LIST: Spec<(), Filter> = Spec::get(
    "/api/jobs",
    "listJobs",
    "Lists the jobs in one state, or in every state: unfinished jobs in the order in which they will run, finished jobs newest first.",
);

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OneJob {
    pub job_id: JobId,
}

#[derive(Deserialize, JsonSchema)]
pub struct Filter {
    /// Only jobs in this state. Without it, jobs in every state: active, waiting, delayed,
    /// cancelled, failed, completed.
    state: Option<JobState>,
    cursor: Option<PageCursor>,
    #[serde(default)]
    limit: Limit<20, 100>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "JobPage")]
struct Page {
    #[schemars(with = "Vec<TypedJob>")]
    jobs: Vec<Job>,
    cursor: Option<String>,
}

pub fn operations() -> Vec<Operation> {
    vec![
        ONE.operation()
            .reply::<TypedJob>(200, "The job.")
            .problems(&[404]),
        LIST.operation().reply::<Page>(200, "A page."),
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
        cursor: next.map(|next| cx.next_cursor(&next)),
    }))
}
