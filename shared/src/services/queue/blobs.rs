//! Arguments and results that are too large for a job's record, in keys of their own.
//!
//! Arguments are stored before their job, with an expiry of a week. The script that stores
//! the job removes the expiry. When the job has finished they get an expiry again, and
//! retention deletes them together with the job. A result is stored before its attempt is
//! settled. Its key contains the attempt's fence, so an attempt that lost its lease cannot
//! overwrite another's result.

use std::time::Duration;

use super::spec::StoredResult;
use super::{Attempt, Error, Job, JobId, Queue};
use crate::redis::Pipeline;
use crate::redis::commands::keys::pexpire;
use crate::redis::commands::strings::{SetOptions, set};
use crate::redis::commands::{Keys as _, Strings as _};
use crate::telemetry;

/// The largest size of a job's arguments, in bytes of JSON.
pub(super) const LARGEST_ARGS: usize = 1024 * 1024;

/// The largest size of arguments in the job's record, in bytes. Larger arguments have a key
/// of their own, which costs two more commands to store and two to run. A hundred message
/// ids fit into the record.
pub(super) const LARGEST_INLINE: usize = 4 * 1024;

/// How long arguments wait for their job to be stored.
const UNCLAIMED: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long a blob outlives the retention of its job.
const MARGIN: Duration = Duration::from_secs(3600);

/// The largest sum of arguments in one request, in bytes.
const MOST_BYTES: usize = 4 * 1024 * 1024;

impl Queue {
    /// Stores the large arguments of jobs, and returns their keys in the same order.
    pub(super) async fn store_args(&self, large: &[(&JobId, &str)]) -> Result<Vec<String>, Error> {
        let mut keys = Vec::with_capacity(large.len());
        let mut rest = large;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = rest.iter().take_while(|(_, args)| {
                bytes += args.len();
                bytes <= MOST_BYTES
            });
            let (now, later) = rest.split_at(fits.count().max(1));
            let mut pipeline = Pipeline::new();
            let mut slots = Vec::with_capacity(now.len());
            for (id, args) in now {
                let key = self.keys.args(id);
                // Arguments that are stored are never overwritten: they may belong to
                // another job with this id.
                let options = SetOptions::new().expires_in(UNCLAIMED).if_missing();
                slots.push(pipeline.add(set(&key, args, options)));
                keys.push(key);
            }
            let mut replies = pipeline.send(&*self.redis).await?;
            for slot in slots {
                replies.take(slot)?;
            }
            rest = later;
        }
        Ok(keys)
    }

    /// Reads a job's large arguments.
    pub(super) async fn load_args(&self, id: &JobId) -> Result<Option<String>, Error> {
        Ok(self.redis.get(&self.keys.args(id)).await?)
    }

    /// Stores a result where its size allows, and returns the place: the record (`None`), a
    /// key of its own, or nowhere if it is larger than a megabyte.
    pub(super) async fn store_result(
        &self,
        attempt: &Attempt,
        result: &str,
    ) -> Result<Option<StoredResult>, Error> {
        if result.len() <= LARGEST_INLINE {
            return Ok(None);
        }
        if result.len() > LARGEST_ARGS {
            return Ok(Some(StoredResult::Dropped));
        }
        // The key contains the fence, because an attempt that lost its lease may still
        // finish and must not overwrite the accepted result.
        let key = self.keys.result(&attempt.id, attempt.fence);
        let options = SetOptions::new().expires_in(self.config.completed_age + MARGIN);
        self.redis.set(&key, result, options).await?;
        Ok(Some(StoredResult::Blob))
    }

    /// Sets an expiry on the arguments of finished jobs, so that they are removed even if
    /// retention never deletes them. Best effort.
    pub(super) async fn let_args_expire(&self, ids: &[JobId]) {
        if ids.is_empty() {
            return;
        }
        let ttl = self.config.failed_age + MARGIN;
        let mut pipeline = Pipeline::new();
        for id in ids {
            pipeline.add(pexpire(&self.keys.args(id), ttl));
        }
        if let Err(error) = pipeline.send(&*self.redis).await {
            let error = telemetry::chain(&error);
            tracing::warn!(error, "the expiry of arguments was not set");
        }
    }

    /// Deletes the blobs that a script named.
    pub(super) async fn delete_blobs(&self, names: &[String]) -> Result<(), Error> {
        if names.is_empty() {
            return Ok(());
        }
        let keys: Vec<String> = names.iter().map(|name| self.keys.blob(name)).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        self.redis.del(&keys).await?;
        Ok(())
    }

    /// Adds to a job the parts that are stored in keys of their own.
    pub(super) async fn complete(&self, mut job: Job) -> Result<Job, Error> {
        if job.data_in_own_key.is_some()
            && let Some(args) = self.load_args(&job.id).await?
            && let Ok(args) = serde_json::value::RawValue::from_string(args)
        {
            job.data = args;
        }
        if let Some(fence) = job.result_in_own_key {
            let result = self.redis.get(&self.keys.result(&job.id, fence)).await?;
            job.returnvalue = result.and_then(|text| serde_json::from_str(&text).ok());
        }
        Ok(job)
    }
}
