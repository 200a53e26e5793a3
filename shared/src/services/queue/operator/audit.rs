//! Repairs a queue after writes were lost.

use crate::queue::scripts::AuditRequest;
use crate::queue::{Error, Queue};

/// The number of fields that one call looks at. A job has two to four.
const BATCH: u32 = 500;

/// The results of an audit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Audited {
    /// The number of jobs that were checked.
    pub jobs: u64,
    /// The number of jobs that were missing from their set, or in the wrong one.
    pub repaired: u64,
    /// Whether this was the last page.
    pub is_last: bool,
}

impl Audited {
    fn count(&mut self, seen: u64, repaired: &[String]) {
        self.jobs += seen;
        self.repaired += repaired.len() as u64;
        for id in repaired {
            tracing::warn!(job_id = id, "job repaired: it was missing from its set");
        }
    }
}

impl Queue {
    /// Checks the next page of [`Queue::audit`], about 250 jobs. Each call continues where
    /// the last one ended, whoever made it. If the queue is idle and nothing has to be
    /// repaired, it costs at most seven commands.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn audit_page(&self, is_idle: bool) -> Result<Audited, Error> {
        let request = AuditRequest {
            moment: self.moment(self.clock.now_ms()),
            cursor: None,
            count: BATCH,
            parked: !is_idle,
        };
        let (next, seen, repaired) = self.scripts().audit(&request).await?;
        let mut audited = Audited {
            is_last: next == "0",
            ..Audited::default()
        };
        audited.count(seen, &repaired);
        Ok(audited)
    }

    /// Checks every job, and puts back those that are missing from their set, for example
    /// because a failover lost the last writes. So every acknowledged job that is still
    /// stored runs, if necessary once more. Costs about 6 billed commands for each 250
    /// jobs.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn audit(&self) -> Result<Audited, Error> {
        let mut audited = Audited::default();
        let mut cursor = "0".to_owned();
        loop {
            // HSCAN may return a job twice, and it is then checked twice. It never omits a
            // field that exists throughout the scan.
            let request = AuditRequest {
                moment: self.moment(self.clock.now_ms()),
                cursor: Some(&cursor),
                count: BATCH,
                parked: true,
            };
            let (next, seen, repaired) = self.scripts().audit(&request).await?;
            audited.count(seen, &repaired);
            if next == "0" {
                audited.is_last = true;
                return Ok(audited);
            }
            cursor = next;
        }
    }
}
