//! The changes that one call may make to a job, whether it ran completely or was cut off.

use super::calls::{Call, RetainRequest, Settle, Spec, TickRequest};
use super::state::{ACTIVE, EPOCH, Header, PARKED, Phase, Record, State};

/// A change to a job, under the name in the report.
pub type Move = &'static str;

/// The changes that every run must have seen.
pub const MOVES: [Move; 29] = [
    "enqueued",
    "claimed",
    "claimed again after a cut claim",
    "swept and claimed",
    "swept",
    "swept for good",
    "completed",
    "failed",
    "retried",
    "snoozed",
    "cancelled while waiting",
    "cancelled by settling",
    "cancelled by the sweep",
    "asked to stop",
    "redriven",
    "purged",
    "retained",
    "expired",
    "changed",
    "replaced",
    "debounced",
    "hastened",
    "stored by its chain",
    "stored by its batch",
    "ingested",
    "refused",
    "stored by its slot",
    "parked",
    "let go",
];

/// A job before and after a call.
pub struct Change<'a> {
    pub id: &'a str,
    pub before: Option<&'a Record>,
    pub after: Option<&'a Record>,
    pub state: &'a State,
    pub end: &'a State,
    pub call: &'a Call,
}

impl Change<'_> {
    /// Returns what happened to the job: at most two changes, and none if only its places
    /// changed.
    ///
    /// # Errors
    /// If no rule allows the change.
    pub fn judge(&self) -> Result<[Option<Move>; 2], String> {
        let spec = |side: Option<&Record>| side.and_then(|record| record.spec.clone());
        match (spec(self.before), spec(self.after)) {
            (None, None) => Ok([None, None]),
            (None, Some(spec)) => Ok([Some(self.appeared(&spec.text, &spec.value)?), None]),
            (Some(_), None) => Ok([Some(self.vanished()?), None]),
            (Some(before), Some(after)) => {
                let limit = i64::from(after.value.max_attempts);
                let moved = self.header_changed(limit)?;
                let respecified = match before.text == after.text {
                    true => None,
                    false => Some(self.spec_changed(&before.text, &after.text)?),
                };
                // A change of the time appears in both.
                let moved = moved.filter(|moved| respecified != Some(*moved));
                Ok([moved, respecified.or_else(|| self.placed())])
            }
        }
    }

    fn appeared(&self, text: &str, spec: &Spec) -> Result<Move, String> {
        let header = self.after.and_then(|after| after.header.as_ref());
        if let Some(parent) = &spec.after {
            let side = |state: &State| {
                state
                    .record(parent)
                    .map(|job| (job.phase(), job.header.clone()))
            };
            let completed = side(self.end)
                .is_some_and(|(_, header)| header.is_some_and(|h| h.value.state == "completed"));
            let was = side(self.state).is_some_and(|(phase, _)| phase != Phase::Finished);
            return match completed && was && header.is_none() {
                true => Ok("stored by its chain"),
                false => Err(format!("it appeared, but {parent} did not complete")),
            };
        }
        if let Some(batch) = &spec.batch_end {
            let left = |state: &State| state.batches.get(batch).map(|batch| batch.left);
            return match (left(self.state), left(self.end)) {
                (Some(1..), Some(0)) if header.is_none() => Ok("stored by its batch"),
                (was, is) => Err(format!(
                    "it appeared, but its batch went from {was:?} to {is:?}"
                )),
            };
        }
        let Call::Enqueue(request, specs) = self.call else {
            return Err("it appeared without an enqueue".to_owned());
        };
        let mut asked = request.jobs.iter().zip(specs);
        // Another job of the same call may have hastened it.
        let is_it = |sent: &str| sent == text || request.hastens(spec) && is_sooner(sent, text);
        let Some((job, _)) = asked.find(|(job, spec)| job.id == self.id && is_it(spec)) else {
            return Err("it appeared, but nobody asked for it".to_owned());
        };
        match (job.refused, header) {
            (None, Some(_)) => Err("it appeared with a past".to_owned()),
            (Some(_), Some(header)) if header.value.state == "failed" => Ok("refused"),
            (Some(_), _) => Err("it was refused and does not say so".to_owned()),
            (None, None) if job.entry.is_some() => Ok("ingested"),
            (None, None) if job.slot.is_some() => Ok("stored by its slot"),
            (None, None) => Ok("enqueued"),
        }
    }

    fn vanished(&self) -> Result<Move, String> {
        let header = self.before.and_then(|before| before.header.as_ref());
        let Some(header) = header.filter(|header| header.value.is_finished()) else {
            return Err("it vanished unfinished".to_owned());
        };
        if self
            .after
            .is_some_and(|after| after.header.is_some() || after.data.is_some())
        {
            return Err("it vanished in part".to_owned());
        }
        match self.call {
            Call::Purge(request) if request.id == self.id => Ok("purged"),
            Call::Retain(request) => self.retained(request, &header.value).map(|()| "retained"),
            _ => Err("it vanished without purge or retention".to_owned()),
        }
    }

    fn retained(&self, request: &RetainRequest, header: &Header) -> Result<(), String> {
        let at = header.finished.unwrap_or(i64::MAX);
        if header.state != "completed" {
            return (at <= request.failed_before)
                .then_some(())
                .ok_or_else(|| "it was forgotten before its time".to_owned());
        }
        let score = self.before.and_then(|before| before.finished).unwrap_or(0);
        let completed = self.state.jobs.iter().filter_map(|(id, job)| {
            let score = job.finished.filter(|score| *score < PARKED)?;
            Some((score, id.as_str()))
        });
        let (mut n, mut n_older) = (0, 0);
        for other in completed {
            n += 1;
            n_older += u64::from(other < (score, self.id));
        }
        let too_many = n_older < u64::saturating_sub(n, request.completed_count);
        (at <= request.completed_before || too_many)
            .then_some(())
            .ok_or_else(|| "it was forgotten before its time".to_owned())
    }

    fn spec_changed(&self, before: &str, after: &str) -> Result<Move, String> {
        let args = |text: &str| text.split_once('\n').map(|(_, args)| args.to_owned());
        match self.call {
            Call::Change(request) if request.id == self.id && args(before) == args(after) => {
                Ok("changed")
            }
            Call::Enqueue(request, specs) => {
                let mut asked = request.jobs.iter().zip(specs);
                let spec = self.after.and_then(|after| after.spec.as_ref());
                let is_hastened = spec.is_some_and(|spec| request.hastens(&spec.value));
                // Another job of the same call may have hastened it since.
                let is_it = |sent: &str| sent == after || is_hastened && is_sooner(sent, after);
                let by = asked.any(|(job, spec)| job.on_unique == Some("debounce") && is_it(spec));
                match (by, self.is_hastened()) {
                    (true, _) => Ok("debounced"),
                    (false, true) => Ok("hastened"),
                    _ => Err("its spec was changed by an enqueue that may not".to_owned()),
                }
            }
            _ => Err("its spec changed".to_owned()),
        }
    }

    /// Whether it is the same job with an earlier time or a better priority.
    fn is_hastened(&self) -> bool {
        let spec = |side: Option<&Record>| side.and_then(|record| record.spec.clone());
        match (spec(self.before), spec(self.after)) {
            (Some(before), Some(after)) => is_sooner(&before.text, &after.text),
            _ => false,
        }
    }

    /// Whether it moved into or out of the parked range.
    fn placed(&self) -> Option<Move> {
        match (self.before?.is_parked(), self.after?.is_parked()) {
            (false, true) => Some("parked"),
            (true, false) if self.after?.index.is_some() => Some("let go"),
            _ => None,
        }
    }

    fn header_changed(&self, limit: i64) -> Result<Option<Move>, String> {
        let side = |record: Option<&Record>| {
            record.and_then(|record| record.header.as_ref().map(|header| header.value.clone()))
        };
        let (before, after) = (side(self.before), side(self.after));
        if before == after {
            return Ok(None);
        }
        let Some(after) = after else {
            return Err("its header vanished".to_owned());
        };
        let before = before.unwrap_or_else(|| Header {
            state: "waiting".to_owned(),
            run_at: self.before.map_or(0, Record::run_at),
            ..Header::default()
        });
        if after.attempts < 0 || after.attempts > limit {
            return Err(format!("{} of {limit} attempts", after.attempts));
        }
        if after.fence < before.fence {
            return Err(format!("its fence fell to {}", after.fence));
        }
        let moved = match self.call {
            Call::Tick(request) => self.by_tick(request, &before, &after, limit)?,
            Call::Cancel(request) if request.id == self.id => by_cancel(&before, &after)?,
            Call::Change(request) if request.id == self.id => by_change(&before, &after)?,
            Call::Redrive(request) if request.ids.iter().any(|id| id == self.id) => {
                by_redrive(&before, &after, request.moment.now)?
            }
            Call::Enqueue(request, _) => self.by_enqueue(request, &before, &after)?,
            _ => return Err("its header was changed by a call that may not".to_owned()),
        };
        Ok(Some(moved))
    }

    fn by_enqueue(
        &self,
        request: &super::calls::EnqueueRequest,
        before: &Header,
        after: &Header,
    ) -> Result<Move, String> {
        let key = self
            .before
            .and_then(|before| before.spec.as_ref()?.value.unique.clone());
        let replaces = key.is_some()
            && request
                .jobs
                .iter()
                .any(|job| job.unique == key && job.on_unique == Some("replace"));
        match (before.state.as_str(), after.state.as_str()) {
            ("waiting", "cancelled") if replaces => Ok("replaced"),
            // A job that never ran takes over the time of the other one.
            ("waiting", "waiting") if before.fence == 0 => {
                let moved = match self.is_hastened() {
                    true => "hastened",
                    false => "debounced",
                };
                by_change(before, after).map(|_| moved)
            }
            (from, to) => Err(format!("an enqueue made a {from} job {to}")),
        }
    }

    fn by_tick(
        &self,
        request: &TickRequest,
        before: &Header,
        after: &Header,
        limit: i64,
    ) -> Result<Move, String> {
        let now = request.moment.now;
        let index = self.before.and_then(|before| before.index);
        let lease_ended = request.sweep
            && index.is_some_and(|score| score >= ACTIVE && score - ACTIVE + EPOCH <= now);
        let stalled = after.stalls == before.stalls + 1;
        match (before.state.as_str(), after.state.as_str()) {
            ("waiting" | "active", "active") => {
                if after.fence != before.fence + 1 {
                    return Err("it was claimed without a new fence".to_owned());
                }
                if after.token.as_ref() != Some(&request.token) {
                    return Err("it was claimed under another's token".to_owned());
                }
                if self.state.paused {
                    return Err("it was claimed from a paused queue".to_owned());
                }
                match before.state.as_str() {
                    "waiting" if after.attempts == before.attempts + 1 => Ok("claimed"),
                    "active" if after.attempts != before.attempts => {
                        Err("a lost lease was counted as an attempt".to_owned())
                    }
                    "active" if lease_ended && stalled => Ok("swept and claimed"),
                    "active" if index.is_some_and(|at| at < ACTIVE) => {
                        Ok("claimed again after a cut claim")
                    }
                    _ => Err("it was claimed while another had it".to_owned()),
                }
            }
            ("waiting", "failed") => {
                let spec = self.before.and_then(|before| before.spec.as_ref());
                let expires = spec.and_then(|spec| spec.value.expires);
                match expires.is_some_and(|at| at <= now) && after.fence == 0 {
                    true => Ok("expired"),
                    false => Err("it failed before it started".to_owned()),
                }
            }
            ("active", _) if after.fence != before.fence => {
                Err("settling changed the fence".to_owned())
            }
            ("active", state) => {
                let settle = request
                    .settle
                    .iter()
                    .find(|settle| settle.id == self.id && settle.fence == before.fence);
                if let Some(settle) = settle {
                    return settled(settle, state, before, after, limit);
                }
                if !lease_ended {
                    return Err("it was taken back before its lease ended".to_owned());
                }
                if !stalled || after.attempts != before.attempts - 1 {
                    return Err("a lost lease was not counted as a stall".to_owned());
                }
                match state {
                    "waiting" => Ok("swept"),
                    "cancelled" if before.cancel => Ok("cancelled by the sweep"),
                    "failed" if after.stalls >= limit.max(3) => Ok("swept for good"),
                    _ => Err(format!("the sweep made it {state}")),
                }
            }
            (from, to) => Err(format!("a tick made a {from} job {to}")),
        }
    }
}

fn settled(
    settle: &Settle,
    state: &str,
    before: &Header,
    after: &Header,
    limit: i64,
) -> Result<Move, String> {
    let outcome = settle.outcome;
    if after.settled != Some(settle.fence) {
        return Err("it was settled and does not say so".to_owned());
    }
    let attempts = before.attempts - i64::from(outcome == "snooze" && state == "waiting");
    if after.attempts != attempts {
        return Err(format!("{outcome} made its attempts {}", after.attempts));
    }
    match (outcome, state) {
        ("completed", "completed") => Ok("completed"),
        ("failed", "failed") => Ok("failed"),
        ("cancelled", "cancelled") => Ok("cancelled by settling"),
        ("retry" | "snooze" | "failed", "cancelled") if before.cancel => {
            Ok("cancelled by settling")
        }
        ("retry", "failed") if before.attempts >= limit => Ok("failed"),
        ("retry", "waiting") if before.attempts < limit && !before.cancel => Ok("retried"),
        ("snooze", "waiting") if !before.cancel => Ok("snoozed"),
        _ => Err(format!("{outcome} made it {state}")),
    }
}

fn by_cancel(before: &Header, after: &Header) -> Result<Move, String> {
    if after.fence != before.fence || after.attempts != before.attempts {
        return Err("cancelling changed its attempt".to_owned());
    }
    match (before.state.as_str(), after.state.as_str()) {
        ("waiting", "cancelled") => Ok("cancelled while waiting"),
        ("active", "active") if after.cancel => Ok("asked to stop"),
        (from, to) => Err(format!("cancelling made a {from} job {to}")),
    }
}

fn by_change(before: &Header, after: &Header) -> Result<Move, String> {
    let same = Header {
        run_at: before.run_at,
        ..after.clone()
    };
    match same == *before && before.state == "waiting" {
        true => Ok("changed"),
        false => Err("it was changed in more than its time".to_owned()),
    }
}

fn by_redrive(before: &Header, after: &Header, now: i64) -> Result<Move, String> {
    let was_failed = matches!(before.state.as_str(), "failed" | "cancelled");
    let begins_anew = after.attempts == 0 && after.stalls == 0 && after.run_at == now;
    match after.state.as_str() {
        "waiting" if was_failed && begins_anew => Ok("redriven"),
        state => Err(format!("redriving made a {} job {state}", before.state)),
    }
}

/// Whether the inconsistency is one that a failed script may leave and that a later
/// claim, sweep, retention or repetition of the call repairs.
pub fn is_healable(record: &Record) -> bool {
    match (record.phase(), record.index, record.finished) {
        (Phase::Waiting, None, _) => record.header.is_none(),
        (Phase::Active | Phase::Finished, None, None) => false,
        _ => true,
    }
}

/// Whether two specs describe the same job, the second one with an earlier time or a
/// better priority.
fn is_sooner(before: &str, after: &str) -> bool {
    let parts = |text: &str| {
        let (line, args) = text.split_once('\n')?;
        let spec: Spec = serde_json::from_str(line).ok()?;
        Some((spec, args.to_owned()))
    };
    let (Some((was, args)), Some((is, same))) = (parts(before), parts(after)) else {
        return false;
    };
    let as_before = Spec {
        run_at: was.run_at,
        priority: was.priority,
        ..is.clone()
    };
    args == same
        && as_before == was
        && (is.run_at, is.priority) != (was.run_at, was.priority)
        && is.run_at <= was.run_at
        && is.priority <= was.priority
}
