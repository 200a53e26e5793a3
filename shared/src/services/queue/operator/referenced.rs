//! Reads the records of other modules together with the state of the jobs they name.

use crate::queue::scripts::JobStatesRequest;
use crate::queue::{Error, JobState, Queue};

/// A record, and the state of its jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referenced {
    /// The name of the hash field.
    pub field: String,
    /// The value of the field, if it exists.
    pub record: Option<String>,
    /// The state of the job that the record names as its owner. `None` if the record names
    /// no job, or one that retention removed. A delayed job counts as waiting.
    pub owner: Option<JobState>,
    /// The last error of that job.
    pub owner_error: Option<String>,
    /// `Active` or `Waiting` if an unfinished job has one of the unique keys.
    pub unfinished: Option<JobState>,
}

impl Queue {
    /// Reads the records of a hash, which are JSON with `owner.job`. Each comes with the
    /// state of that job, and with the state of an unfinished job that has one of the
    /// unique keys in `unique`, where `%s` stands for the field. Without `fields`, every
    /// record is read. It takes one request of 3 or 4 commands, and one more command for
    /// every 1000 keys and ids.
    ///
    /// # Errors
    /// Redis could not be asked.
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
