//! `POST /api/uploads`, `GET /api/uploads/{uploadId}`,
//! `PUT /api/uploads/{uploadId}/parts/{number}` and `POST /api/uploads/{uploadId}/finish`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::http::{
    Action, ApiError, Bounded, Context, ErrorCode, FieldCode, FieldError, Reply, Snowflake, Spec,
    StatusCode,
};
use shared::jobs::{ImportFile, OptionsRequest};
use shared::openapi::Operation;
use shared::queue::JobId;
use shared::uploads::{Finished, LIFE, PART, Session, StoredPart};

use crate::State;

pub const BEGIN: Spec =
    Spec::post("/api/uploads", "startUpload", "Start an upload").counts_as(Action::Upload);

pub const READ: Spec<OneUpload> =
    Spec::get("/api/uploads/{uploadId}", "getUpload", "Get an upload");

pub const STORE: Spec<OnePart> = Spec::put(
    "/api/uploads/{uploadId}/parts/{number}",
    "putUploadPart",
    "Upload a part of a file",
);

pub const FINISH: Spec<OneUpload> = Spec::post(
    "/api/uploads/{uploadId}/finish",
    "scanUpload",
    "Scan an uploaded file",
);

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OneUpload {
    /// The id of the upload.
    upload_id: JobId,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OnePart {
    /// The id of the upload.
    upload_id: JobId,
    /// The number of the part, from 1.
    number: Bounded<1, 512>,
}

/// A file that is to be uploaded.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UploadInput {
    /// The id of the guild that the file is an export of.
    guild_id: Snowflake,
    /// The size of the file, in bytes: 1 to 67108864, which is 64 MB.
    size_bytes: Bounded<1, 67_108_864>,
    /// Limits on what the scan of the file stores. `maxMessages` has no effect.
    options: Option<OptionsRequest>,
}

/// A part of a file.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PartInput {
    /// The bytes of the part in base64.
    data: String,
}

/// An upload.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Upload {
    /// The id of the upload.
    upload_id: JobId,
    /// The id of the guild that the file is an export of.
    guild_id: String,
    /// The size of the file, in bytes.
    size_bytes: u64,
    /// The size of each part but the last, in bytes.
    part_bytes: u64,
    /// How many parts there are.
    parts: u32,
    /// The numbers of the parts that were uploaded.
    uploaded: Vec<u32>,
    /// Whether the upload is finished, and takes no more parts.
    finished: bool,
    /// When an unfinished upload expires, in unix milliseconds.
    expires_at: i64,
}

/// The job that scans the file.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Import {
    /// The id of the job, which is that of the upload.
    job_id: JobId,
    /// The same as `jobId`.
    scan_id: JobId,
}

pub fn operations() -> Vec<Operation> {
    vec![
        BEGIN.operation().describe("Begins the upload of a JSON file of DiscordChatExporter. The reply says into how many parts the file is cut. The upload expires after 15 minutes.")
            .body::<UploadInput>()
            .reply::<Upload>(201, "The upload has begun."),
        READ.operation().describe("Returns which parts of an upload are there, so that an interrupted upload can go on. 404 if there is no such upload or it has expired.")
            .reply::<Upload>(200, "The upload.")
            .problems(&[404]),
        STORE.operation().describe("Stores a part of a file. All parts but the last have `partBytes` bytes. Parts may come in any order and at the same time. A part that is sent again replaces the one before.")
            .body::<PartInput>()
            .empty(204, "The part is stored.")
            .problems(&[404, 409]),
        FINISH.operation().describe("Creates a job that scans the uploaded file for clips. Follow it with `GET /api/scans/stream/{scanId}`. Clips that are known already stay as they are, and no cursor of the channel moves. 409 if parts are missing. The same request again returns the same job.")
            .reply::<Import>(202, "The job was created.")
            .problems(&[404, 409]),
    ]
}

pub async fn begin(cx: Context<State>) -> Result<Reply, ApiError> {
    let input: UploadInput = cx.json()?;
    let id = JobId::new(cx.clock());
    let session = Session {
        guild_id: input.guild_id.into(),
        size_bytes: input.size_bytes.get(),
        part_bytes: PART,
        options: input.options.unwrap_or_default().into(),
        finished: false,
    };
    cx.uploads().begin(id.as_str(), &session).await?;
    let reply = shown(id, &session, Vec::new());
    Ok(Reply::json(StatusCode::CREATED, &reply))
}

pub async fn read(cx: Context<State, OneUpload>) -> Result<Reply, ApiError> {
    let id = cx.path.upload_id.clone();
    let found = cx.uploads().session(id.as_str()).await?;
    let (session, parts) = found.ok_or_else(missing)?;
    Ok(Reply::ok(&shown(id, &session, parts)))
}

pub async fn part(cx: Context<State, OnePart>) -> Result<Reply, ApiError> {
    let input: PartInput = cx.json()?;
    let bytes = STANDARD.decode(&input.data).map_err(|_| {
        FieldError::field("data", FieldCode::Invalid, "expected base64 with padding")
    })?;
    let number = u32::try_from(cx.path.number.get()).unwrap_or(u32::MAX);
    let id = cx.path.upload_id.as_str();
    match cx.uploads().part(id, number, &bytes).await? {
        StoredPart::Yes => Ok(Reply::empty(StatusCode::NO_CONTENT)),
        StoredPart::Missing => Err(missing()),
        StoredPart::Finished => Err(ApiError::new(
            ErrorCode::UploadFinished,
            "the upload is finished and takes no more parts",
        )),
        StoredPart::Wrong(0) => {
            let detail = "the file has no part with this number";
            Err(FieldError::parameter("number", FieldCode::OutOfRange, detail).into())
        }
        StoredPart::Wrong(expected) => {
            let detail = format!("expected {expected} bytes; these are {}", bytes.len());
            Err(FieldError::field("data", FieldCode::OutOfRange, detail).into())
        }
    }
}

pub async fn finish(cx: Context<State, OneUpload>) -> Result<Reply, ApiError> {
    let id = cx.path.upload_id.clone();
    let session = match cx.uploads().finish(id.as_str()).await? {
        Finished::Yes(session) => session,
        Finished::Missing => return Err(missing()),
        Finished::Lacks(parts) => {
            let parts: Vec<String> = parts.iter().map(u32::to_string).collect();
            let detail = format!("these parts are missing: {}", parts.join(", "));
            return Err(ApiError::new(ErrorCode::UploadIncomplete, detail));
        }
    };
    let import = ImportFile {
        guild_id: session.guild_id,
        upload_id: id.clone(),
        size_bytes: session.size_bytes,
        part_bytes: session.part_bytes,
        options: session.options,
    };
    let mut job = import.into_job()?;
    job.traceparent = cx.trace().map(String::from);
    let reply = Reply::accepted(&Import {
        job_id: id.clone(),
        scan_id: id,
    });
    let before = cx.state.waker.before_storing();
    let exchange = cx.store_with_work(&reply);
    cx.queue()
        .enqueue_once(vec![job], exchange.as_ref())
        .await?;
    cx.state.waker.wake(before).await;
    Ok(reply)
}

fn missing() -> ApiError {
    let detail = "there is no such upload, or it has expired";
    ApiError::new(ErrorCode::UploadNotFound, detail)
}

fn shown(id: JobId, session: &Session, uploaded: Vec<u32>) -> Upload {
    Upload {
        expires_at: id.created_ms() + LIFE.as_millis() as i64,
        upload_id: id,
        guild_id: session.guild_id.clone(),
        size_bytes: session.size_bytes,
        part_bytes: session.part_bytes,
        parts: session.parts(),
        uploaded,
        finished: session.finished,
    }
}
