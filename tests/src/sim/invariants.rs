//! Invariants that hold for any state, whatever happened before.

use std::collections::{BTreeMap, BTreeSet};

use super::calls::{Call, TickRequest, Version};
use super::history::{Step, Violation, violation};
use super::state::{Phase, Record, State};

/// At most one unfinished job holds a unique key, and the key refers to it.
pub fn check_uniques(state: &State, unhealed: &BTreeSet<String>) -> Result<(), Violation> {
    let mut holders: BTreeMap<&str, &str> = BTreeMap::new();
    for (id, job) in &state.jobs {
        let Some(key) = job
            .spec
            .as_ref()
            .and_then(|spec| spec.value.unique.as_deref())
        else {
            continue;
        };
        if !matches!(job.phase(), Phase::Waiting | Phase::Active) || unhealed.contains(id) {
            continue;
        }
        if let Some(other) = holders.insert(key, id) {
            return violation("unique", format!("{id} and {other} both hold {key}"));
        }
        if state.uniques.get(key) != Some(id) {
            return violation("unique", format!("{id} does not hold its key {key}"));
        }
    }
    Ok(())
}

/// A parked job is in the list from which it is released, unless a merge of two histories
/// removed it.
pub fn check_parked(state: &State, unlisted: &BTreeSet<String>) -> Result<(), Violation> {
    for (id, job) in &state.jobs {
        if job.is_parked() && !state.parked.contains(id) && !unlisted.contains(id) {
            return violation("parked", format!("{id} is parked and in no list: {job:?}"));
        }
    }
    Ok(())
}

/// No group and no queue exceeds its limit of active jobs, and no pace is exceeded.
pub fn check_limits(
    request: &TickRequest,
    step: &Step<'_>,
    unhealed: &BTreeSet<String>,
) -> Result<(), Violation> {
    let active = |state: &State| {
        let mut groups: BTreeMap<String, usize> = BTreeMap::new();
        let mut n = 0;
        for (id, job) in &state.jobs {
            if job.phase() == Phase::Active && !unhealed.contains(id) {
                n += 1;
                if let Some(group) = job.group() {
                    *groups.entry(group.to_owned()).or_default() += 1;
                }
            }
        }
        (n, groups)
    };
    let ((n_before, _), (n_after, groups)) = (active(step.before), active(step.after));
    if let Some(limit) = request.limits.group_limit
        && let Some((group, n)) = groups.into_iter().find(|(_, n)| *n > limit)
    {
        return violation(
            "group",
            format!(
                "{n} active jobs of {group}, at most {limit}: {}",
                members(step.after, &group)
            ),
        );
    }
    if let Some(limit) = request.limits.active_limit
        && n_after > limit.max(n_before)
    {
        return violation(
            "active limit",
            format!("{n_after} active jobs, at most {limit}"),
        );
    }
    if let Some(pace) = request.limits.rate {
        let most = request.moment.now as f64 + f64::from(pace.burst) * pace.interval;
        let (before, after) = (step.before.rate_due(), step.after.rate_due());
        if after > before && after > most + 1.0 {
            return violation("pace", format!("{} ms ahead", after - most));
        }
    }
    Ok(())
}

fn members(state: &State, group: &str) -> String {
    let active = state
        .jobs
        .iter()
        .filter(|(_, job)| job.phase() == Phase::Active && job.group() == Some(group));
    let ids: Vec<&str> = active.map(|(id, _)| id.as_str()).collect();
    ids.join(" ")
}

/// The maximum cost of a call if there is nothing to heal (I12).
pub fn most_billed(step: &Step<'_>) -> u64 {
    match (step.call, step.version) {
        (Call::Tick(request), _) => {
            // Parked entries that a failed script left behind are removed one by one.
            let parked = |id: &String| step.before.record(id).is_some_and(Record::is_parked);
            let left = step.before.parked.iter().filter(|id| !parked(id)).count();
            most_billed_by_tick(request) + 3 * left as u64
        }
        (Call::Enqueue(request, _), _) => {
            let plain = |job: &super::calls::EnqueueJob| job.unique.is_none() && job.slot.is_none();
            let cap = u64::from(request.cap.is_some());
            let stream = 4 * u64::from(request.stream.is_some());
            let single = u64::from(request.jobs.len() == 1);
            let replaces = request
                .jobs
                .iter()
                .any(|job| job.on_unique == Some("replace"));
            let moves = request.jobs.iter().any(|job| job.on_unique.is_some());
            let writes = 2 + 3 * u64::from(replaces) + 2 * u64::from(moves);
            let refuses = request.jobs.iter().any(|job| job.refused.is_some());
            let reads = match request.jobs.iter().all(plain) {
                true => 1 + single,
                false => 3,
            };
            1 + cap + stream + reads + writes + u64::from(refuses)
        }
        (Call::Cancel(_), Version::Before) => 5,
        (Call::Cancel(_), Version::Shipped) => 9,
        (Call::Change(_), _) => 5,
        (Call::Redrive(_), _) => 6,
        (Call::Retain(_), _) => 11,
        (Call::Purge(_), _) => 5,
        (Call::Audit(_), _) => 12,
        (Call::Pause | Call::Resume, _) => 1,
    }
}

fn most_billed_by_tick(request: &TickRequest) -> u64 {
    let is = u64::from;
    let looks = request.want > 0;
    let settles = request.sweep || !request.settle.is_empty();
    let replay = 2 * is(request.replay);
    let look = 3 * is(looks);
    let busy = is(looks || settles || !request.renew.is_empty());
    let writes = match (looks, settles) {
        (false, false) => 1,
        (false, true) => 4,
        (true, _) => 5,
    };
    let related = 1;
    let limits = &request.limits;
    let group = 14 * is(limits.group_limit.is_some());
    let active = is(limits.active_limit.is_some());
    1 + replay
        + is(request.sweep)
        + look
        + busy * (1 + related + writes)
        + group
        + active
        + is(request.measure)
}
