//! A replica that takes over without the last writes, and the audit that follows.

use upstash_local::DirectReply;

use super::calls::{AuditRequest, Call, Version};
use super::history::{Violation, violation};
use super::invariants::check_parked;
use super::moves::is_healable;
use super::world::{World, brief};

impl World {
    /// Takes a snapshot of the keys for a rollback.
    pub fn take_snapshot(&mut self) {
        if self.snapshots.len() == 4 {
            self.snapshots.pop_front();
        }
        let snapshot = self.engine.snapshot();
        self.snapshots.push_back(snapshot);
    }

    /// Loses the last writes. If two histories are merged key by key, some keys lose more
    /// than others. An audit then repairs the inconsistencies.
    ///
    /// # Errors
    /// If it does not.
    pub fn roll_back(&mut self) -> Result<(), Violation> {
        let n = self.below(self.snapshots.len());
        let Some(mut snapshot) = self.snapshots.get(n).cloned() else {
            return Ok(());
        };
        self.snapshots.truncate(n + 1);
        let now = self.engine.snapshot();
        let mut survivors = Vec::new();
        if self.random.bool() {
            for key in self.keys.clone() {
                if self.random.bool() {
                    snapshot = snapshot.with_key_of(key.as_bytes(), &now);
                    survivors.push(key);
                }
            }
        }
        self.note(|| format!("rolled back to snapshot {n}, but for {survivors:?}"));
        self.engine.restore(&snapshot);
        self.state = self.read()?;
        self.history.rebase(&self.state, !survivors.is_empty());
        self.audit()
    }

    /// Audits every job, as the operator's tool does.
    ///
    /// # Errors
    /// If a job is still in a place where nothing finds it.
    pub fn audit(&mut self) -> Result<(), Violation> {
        let mut cursor = "0".to_owned();
        loop {
            let call = Call::Audit(AuditRequest {
                moment: self.moment(0),
                cursor,
                count: 20,
                parked: true,
            });
            self.note(|| brief(&call));
            let DirectReply::Array(parts) = self.carry_out(Version::Shipped, &call, None)? else {
                return violation("answer", "an audit without parts");
            };
            cursor = match parts.first() {
                Some(DirectReply::Bulk(next)) => String::from_utf8_lossy(next).into_owned(),
                other => return violation("answer", format!("no cursor: {other:?}")),
            };
            if cursor == "0" {
                break;
            }
        }
        self.history.unlisted.clear();
        check_parked(&self.state, &self.history.unlisted)?;
        for (id, job) in &self.state.jobs {
            if job.is_half_stored() || !is_healable(job) {
                return violation("audit", format!("{id} was not mended: {job:?}"));
            }
        }
        Ok(())
    }
}
