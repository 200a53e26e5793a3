//! The kind `export`: writes the clips of a guild into a file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::JobKind;
use crate::export::ExportFormat;
use crate::queue::{Error, Job, JobId, NewJob};
use crate::scan::{ClipFilter, ScanProgress};

/// The kind. `POST /api/jobs` does not accept it, since an export has a route of its own.
pub(super) static EXPORT: JobKind = JobKind {
    name: ExportJob::KIND,
    reads: &[],
    is_scan: false,
};

/// The arguments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ExportArguments")]
pub struct ExportJob {
    /// The id of the guild.
    pub guild_id: String,
    /// What the file is written in.
    pub format: ExportFormat,
    /// Which clips are in the file, and their order.
    #[serde(default)]
    pub filter: ClipFilter,
}

/// What an export made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportResult {
    /// The parts of the file.
    pub file: crate::export::ExportParts,
    /// When the file is removed, in unix milliseconds.
    pub expires_at: i64,
}

impl ExportResult {
    /// What a completed export made.
    pub fn of(job: &Job) -> Option<ExportResult> {
        let value = job.returnvalue.clone()?;
        serde_json::from_value(value).ok()
    }
}

impl ExportJob {
    pub const KIND: &'static str = "export";

    /// The arguments of a job, if it is an export.
    pub fn of(job: &Job) -> Option<ExportJob> {
        let is_export = job.kind == Self::KIND;
        serde_json::from_str(job.data.get())
            .ok()
            .filter(|_| is_export)
    }

    /// How many clips a job has written so far.
    pub fn written(job: &Job) -> u64 {
        let progress = job.progress.clone();
        let progress = progress.and_then(|value| serde_json::from_value(value).ok());
        progress.map_or(0, |progress: ScanProgress| progress.clips_found)
    }

    /// Builds the job. While an export of the same clips in the same format is unfinished,
    /// another one is a duplicate of it.
    ///
    /// # Errors
    /// If the queue refuses the job.
    pub fn into_job(self, id: JobId) -> Result<NewJob, Error> {
        let mut job = NewJob::new(id, Self::KIND, &self)?;
        let digest = sha1_smol::Sha1::from(&job.args).digest().to_string();
        job.unique = Some(format!("export:{}:{digest}", self.guild_id));
        Ok(job)
    }
}
