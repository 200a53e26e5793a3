//! `POST /api/guilds/{guildId}/exports` creates an export, `GET …/exports/{exportId}` shows
//! it, `GET …/exports/{exportId}/parts/{part}` downloads a part, and `DELETE
//! …/exports/{exportId}` cancels or removes it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::export::ExportFormat;
use shared::http::{
    Action, ApiError, Bounded, Context, ErrorCode, FieldCode, FieldError, Reply, Snowflake, Spec,
    StatusCode, unknown_job,
};
use shared::jobs::{ExportJob, ExportResult};
use shared::openapi::Operation;
use shared::queue::{Cancelled, Job, JobId, JobState, Purged};

use crate::State;
use crate::filter::selection;
use crate::list::Guild;

pub const CREATE: Spec<Guild> = Spec::post(
    "/api/guilds/{guildId}/exports",
    "createExport",
    "Export clips",
)
.counts_as(Action::Export);

pub const SHOW: Spec<OneExport> = Spec::get(
    "/api/guilds/{guildId}/exports/{exportId}",
    "getExport",
    "Get an export",
);

pub const PART: Spec<OnePart> = Spec::get(
    "/api/guilds/{guildId}/exports/{exportId}/parts/{part}",
    "getExportPart",
    "Download a part of an export",
);

pub const REMOVE: Spec<OneExport> = Spec::delete(
    "/api/guilds/{guildId}/exports/{exportId}",
    "removeExport",
    "Cancel or remove an export",
)
.reads_first();

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OneExport {
    /// The id of the guild.
    guild_id: Snowflake,
    /// The id of the export.
    export_id: JobId,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OnePart {
    /// The id of the guild.
    guild_id: Snowflake,
    /// The id of the export.
    export_id: JobId,
    /// The number of the part, from 1 to `parts` of the export.
    part: Bounded<1, 1_000_000>,
}

selection! {
    /// Which clips are exported, and how.
    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    #[schemars(rename = "ExportRequest")]
    CreateExport, ChannelList {
        /// What the file is written in.
        format: ExportFormat,
    }
}

/// The export that was created, or the unfinished one that stands for it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CreatedExport")]
struct Created {
    /// The id of the export.
    export_id: JobId,
    /// The id of its job, which is the same.
    job_id: JobId,
    /// Whether an unfinished export of the same clips in the same format stands for this
    /// one.
    duplicate: bool,
}

/// An export.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Export")]
struct Shown {
    /// The id of the export.
    export_id: JobId,
    /// The id of the guild.
    guild_id: String,
    /// What the file is written in.
    format: ExportFormat,
    /// The state of its job. The file is there once it is `completed`.
    state: JobState,
    /// How many clips are written so far.
    clips: u64,
    /// How many parts the file has. `null` until it is complete.
    parts: Option<u64>,
    /// The size of the file in bytes. `null` until it is complete.
    size_bytes: Option<u64>,
    /// When the file is removed, in unix milliseconds. `null` until it is complete.
    expires_at: Option<i64>,
    /// Why the export failed, for programs.
    error_code: Option<String>,
    /// Why the export failed, in a sentence for people.
    error_message: Option<String>,
}

pub fn operations() -> Vec<Operation> {
    vec![
        CREATE.operation().describe("Creates a job that writes clips into a file, and replies before it runs. The filters are those of the list. An unfinished export of the same clips in the same format stands for the new one. Clips that are found after the export began may be missing. An address that expires is left out: ask for a fresh one with `GET /api/clips/{channelId}/{clipId}`.")
            .body::<CreateExport>()
            .reply::<Created>(202, "The export was created, or an unfinished one stands for it."),
        SHOW.operation().describe("Returns an export. Its file is complete once `state` is `completed`; download all its parts then. It is removed a day after it was made.")
            .reply::<Shown>(200, "The export.")
            .problems(&[404]),
        PART.operation().describe("Returns a part of the file, less than 1 MB. The parts, one after another, are the file; a part begins and ends between two clips. In a CSV file, a cell that a spreadsheet would run as a formula begins with an apostrophe.")
            .text(200, &["text/csv", "application/jsonl", "text/plain"], "The part.")
            .header("Content-Disposition")
            .problems(&[404, 409]),
        REMOVE.operation().describe("Cancels an export that has not finished, or removes one that has. A running export stops within seconds.")
            .empty(204, "The export is cancelled or removed, or will stop within seconds.")
            .problems(&[404, 409]),
    ]
}

pub async fn create(cx: Context<State, Guild>) -> Result<Reply, ApiError> {
    let input: CreateExport = cx.json()?;
    let wrong = |(name, expected)| FieldError::field(name, FieldCode::Invalid, expected);
    let export = ExportJob {
        guild_id: cx.path.guild_id.as_str().to_owned(),
        format: input.format,
        filter: input.filter().map_err(wrong)?,
    };
    let mut job = export.into_job(JobId::new(cx.clock()))?;
    job.traceparent = cx.trace().map(String::from);
    cx.queue().check(std::slice::from_ref(&job))?;
    let created = |id: &JobId, duplicate| {
        Reply::accepted(&Created {
            export_id: id.clone(),
            job_id: id.clone(),
            duplicate,
        })
    };
    let usual = created(&job.id, false);
    let exchange = cx.store_with_work(&usual);
    let before = cx.state.waker.before_storing();
    let stored = cx
        .queue()
        .enqueue_once(vec![job], exchange.as_ref())
        .await?;
    cx.state.waker.wake(before).await;
    Ok(match stored.first() {
        Some(stored) if stored.is_duplicate() => created(stored.id(), true),
        _ => usual,
    })
}

/// An export of a guild, and what is known of its file.
struct Found {
    job: Job,
    export: ExportJob,
    result: Option<ExportResult>,
}

async fn find<Q>(cx: &Context<State, Q>, guild: &Snowflake, id: &JobId) -> Result<Found, ApiError> {
    let Some(job) = cx.queue().job(id).await? else {
        return Err(unknown_job(cx, id, "export"));
    };
    let export = ExportJob::of(&job).filter(|export| export.guild_id == guild.as_str());
    let export = export.ok_or_else(unknown)?;
    let result = ExportResult::of(&job);
    if result
        .as_ref()
        .is_some_and(|result| result.expires_at <= cx.clock().now_ms())
    {
        return Err(unknown());
    }
    Ok(Found {
        job,
        export,
        result,
    })
}

fn unknown() -> ApiError {
    let detail = "the guild has no such export, or it was removed";
    ApiError::new(ErrorCode::ExportNotFound, detail)
}

pub async fn show(cx: Context<State, OneExport>) -> Result<Reply, ApiError> {
    let (guild, id) = (&cx.path.guild_id, &cx.path.export_id);
    let Found {
        job,
        export,
        result,
    } = find(&cx, guild, id).await?;
    let written = ExportJob::written(&job);
    let file = result.as_ref().map(|result| &result.file);
    Ok(Reply::ok(&Shown {
        export_id: job.id,
        guild_id: export.guild_id,
        format: export.format,
        state: job.state,
        clips: file.map_or(written, |file| file.clips),
        parts: file.map(|file| file.parts),
        size_bytes: file.map(|file| file.bytes),
        expires_at: result.as_ref().map(|result| result.expires_at),
        error_code: job.error_code,
        error_message: job.error_message,
    }))
}

pub async fn part(cx: Context<State, OnePart>) -> Result<Reply, ApiError> {
    let (guild, id) = (&cx.path.guild_id, &cx.path.export_id);
    let found = find(&cx, guild, id).await?;
    let Some(result) = found.result else {
        let state = found.job.state.as_str();
        let detail = format!("the export is {state}: it has no file");
        return Err(ApiError::new(ErrorCode::ExportUnfinished, detail));
    };
    let number = cx.path.part.get();
    let exports = cx.exports();
    let text = exports.read(id.as_str(), &result.file, number - 1).await?;
    let text = text.ok_or_else(|| {
        let parts = result.file.parts;
        let detail = format!("the export has no part {number}, but {parts} parts");
        ApiError::new(ErrorCode::ExportNotFound, detail)
    })?;
    let format = found.export.format;
    let name = format!(
        "clips-{guild}-{number}.{}",
        format.extension(),
        guild = guild.as_str()
    );
    let disposition = format!("attachment; filename=\"{name}\"");
    Ok(Reply::text(format.media_type(), text).with_header("content-disposition", &disposition))
}

pub async fn remove(cx: Context<State, OneExport>) -> Result<Reply, ApiError> {
    let (guild, id) = (&cx.path.guild_id, &cx.path.export_id);
    let found = find(&cx, guild, id).await?;
    let gone = Ok(Reply::empty(StatusCode::NO_CONTENT));
    if let Some(result) = &found.result {
        cx.exports().remove(id.as_str(), &result.file).await?;
    }
    let queue = cx.queue();
    let is_finished = match found.job.state {
        JobState::Completed | JobState::Failed | JobState::Cancelled => true,
        JobState::Waiting | JobState::Delayed | JobState::Active => {
            matches!(queue.cancel(id).await?, Cancelled::Finished(_))
        }
    };
    if is_finished && queue.purge(id).await? == Purged::Unfinished {
        // It was retried in the meantime.
        let detail = "the export has begun again; ask again";
        return Err(ApiError::new(ErrorCode::ExportUnfinished, detail));
    }
    gone
}
