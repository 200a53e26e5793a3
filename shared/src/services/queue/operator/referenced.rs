//! Records of other modules, each read with the state of the job it names.

use crate::queue::scripts::JobStatesRequest;
use crate::queue::{Error, JobState, Queue};

/// A record, and the state of the jobs it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referenced {
    /// The field of the hash.
    pub field: String,
    /// What is in it, if there is such a field.
    pub record: Option<String>,
    /// The state of the job the record names as its owner; none when it names none, or
    /// one that was forgotten. A job that is delayed counts as waiting.
    pub owner: Option<JobState>,
    /// The last error of that job.
    pub owner_error: Option<String>,
    /// `Active` or `Waiting` when an unfinished job has one of the unique keys.
    pub unfinished: Option<JobState>,
}

impl Queue {
    /// Reads the records of a hash, JSON with `owner.job`, each with the state of that job
    /// and whether an unfinished job has one of the unique keys in `unique`, in which `%s`
    /// is replaced by the field. Without `fields` it reads every record. One request, 3 or 4
    /// commands and a further one for every 1000 keys and ids.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn read_referenced(
        &self,
        hash: &str,
        fields: Option<&[&str]>,
        unique: &[&str],
    ) -> Result<Vec<Referenced>, Error> {
        let request = JobStatesRequest { fields, unique };
        let words = self.scripts().job_states(hash, &request).await?;
        let text = |word: &String| Some(word.clone()).filter(|word| !word.is_empty());
        let rows = words.chunks_exact(5);
        Ok(rows
            .map(|row| Referenced {
                field: row[0].clone(),
                record: text(&row[1]),
                owner: JobState::parse(&row[2]),
                owner_error: text(&row[3]),
                unfinished: JobState::parse(&row[4]),
            })
            .collect())
    }
}
