//! Repairing a queue after writes were lost.

use crate::queue::scripts::AuditRequest;
use crate::queue::{Error, Queue};

/// Fields one call looks at; a job has two to four.
const BATCH: u32 = 500;

/// What an audit found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Audited {
    /// Jobs looked at.
    pub jobs: u64,
    /// Jobs that no set held, or the wrong one.
    pub mended: u64,
    /// Whether nothing is left to look at.
    pub is_last: bool,
}

impl Audited {
    fn count(&mut self, seen: u64, mended: &[String]) {
        self.jobs += seen;
        self.mended += mended.len() as u64;
        for id in mended {
            tracing::warn!(job_id = id, "job mended");
        }
    }
}

impl Queue {
    /// The next page of [`Queue::audit`], about 250 jobs. Each call goes on where
    /// the last one ended, whoever made it. At most seven commands when the queue is idle and nothing is
    /// to be mended.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn audit_page(&self, is_idle: bool) -> Result<Audited, Error> {
        let request = AuditRequest {
            moment: self.moment(self.clock.now_ms()),
            cursor: None,
            count: BATCH,
            parked: !is_idle,
        };
        let (next, seen, mended) = self.scripts().audit(&request).await?;
        let mut audited = Audited {
            is_last: next == "0",
            ..Audited::default()
        };
        audited.count(seen, &mended);
        Ok(audited)
    }

    /// Looks at every job and puts back into their set those that fell out of it,
    /// as when a failover lost the last writes: an acknowledged job that is stored
    /// runs, once more if need be. Some 6 billed commands for each 250 jobs.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn audit(&self) -> Result<Audited, Error> {
        let mut audited = Audited::default();
        let mut cursor = "0".to_owned();
        loop {
            // HSCAN may show a job twice, which is looked at twice, but none is left out that
            // was there from beginning to end.
            let request = AuditRequest {
                moment: self.moment(self.clock.now_ms()),
                cursor: Some(&cursor),
                count: BATCH,
                parked: true,
            };
            let (next, seen, mended) = self.scripts().audit(&request).await?;
            audited.count(seen, &mended);
            if next == "0" {
                audited.is_last = true;
                return Ok(audited);
            }
            cursor = next;
        }
    }
}
