//! Looking at jobs through records of other modules that name them.

use super::scripts::FollowRequest;
use super::{Error, JobState, Queue};

/// A record and how the jobs it is about stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    pub field: String,
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
    /// The records in a hash, JSON with `owner.job`, each with how that job stands and
    /// whether an unfinished one has a unique key of one of the forms, in which `%s`
    /// stands for the field. Without `fields` all there are. One request, 3 or 4
    /// commands and a further one for every 1000 keys and ids.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn follow(
        &self,
        hash: &str,
        fields: Option<&[&str]>,
        unique: &[&str],
    ) -> Result<Vec<Followed>, Error> {
        let request = FollowRequest { fields, unique };
        let words = self.scripts().follow(hash, &request).await?;
        let text = |word: &String| Some(word.clone()).filter(|word| !word.is_empty());
        let rows = words.chunks_exact(5);
        Ok(rows
            .map(|row| Followed {
                field: row[0].clone(),
                record: text(&row[1]),
                owner: JobState::parse(&row[2]),
                owner_error: text(&row[3]),
                unfinished: JobState::parse(&row[4]),
            })
            .collect())
    }
}
