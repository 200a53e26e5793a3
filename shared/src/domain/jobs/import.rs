//! The kind `import`: scans an uploaded file of DiscordChatExporter.

use serde::{Deserialize, Serialize};

use super::{JobKind, ScanOptions};
use crate::queue::{self, JobId, NewJob};

/// The kind, which no request names.
pub(super) static IMPORT: JobKind = JobKind {
    name: ImportFile::KIND,
    reads: &[],
    is_scan: false,
};

/// The arguments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportFile {
    /// The id of the guild that the file is of.
    pub guild_id: String,
    /// The id of the upload.
    pub upload_id: JobId,
    /// The size of the file, in bytes.
    pub size_bytes: u64,
    /// The size of each part of the file but the last, in bytes.
    pub part_bytes: u64,
    /// Limits on what the job stores.
    #[serde(default)]
    pub options: ScanOptions,
}

impl ImportFile {
    pub const KIND: &'static str = "import";

    /// Builds the job. An upload has one, with the upload's own id.
    ///
    /// # Errors
    /// If the arguments cannot be serialised.
    pub fn into_job(self) -> Result<NewJob, queue::Error> {
        let mut job = NewJob::new(self.upload_id.clone(), Self::KIND, &self)?;
        job.group = Some(format!("import:{}", self.guild_id));
        Ok(job)
    }
}
