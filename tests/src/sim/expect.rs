//! The expected reply to each call, given the state before it. This is a second
//! description of the queue, written from its rules and not from its scripts.

use std::collections::{BTreeMap, BTreeSet};

use super::calls::{EnqueueRequest, Pace, RedriveRequest, Settle, Spec, TickRequest, Version};
use super::state::{ACTIVE, DELAYED, EPOCH, Header, PARKED, Phase, State, Stored};

/// How many delayed or expired entries one call examines at most.
const MOST_LOOKED_AT: usize = 50;
const STALL_LIMIT: i64 = shared::queue::layout::STALL_LIMIT as i64;

/// The expected reply to a tick: job IDs, in order.
#[derive(Debug, Default, PartialEq)]
pub struct TickExpected {
    pub settled: Vec<&'static str>,
    pub renewed: Vec<&'static str>,
    pub claimed: Vec<String>,
    pub ended: Vec<String>,
    pub paused: bool,
}

/// Claims are predicted only for queues without groups, because a tick releases parked
/// jobs based on a random sample.
pub fn expect_tick(state: &State, request: &TickRequest, version: Version) -> TickExpected {
    let mut expected = TickExpected::default();
    let mut want = request.want;
    if request.replay {
        for (_, id) in state.band(ACTIVE, i64::MAX) {
            let header = state.jobs[id].header.as_ref().map(|header| &header.value);
            if header
                .is_some_and(|h| h.state == "active" && h.token.as_ref() == Some(&request.token))
            {
                expected.claimed.push(id.to_owned());
            }
        }
        if !expected.claimed.is_empty() {
            want = 0;
        }
    }
    let mut picked = Vec::new();
    if want > 0 {
        expected.paused = state.paused;
        if !state.paused {
            picked = in_order(state, request, version);
        }
    }
    let mut touched = BTreeSet::new();
    // These are handed out again. The previous release forgot them when it swept.
    let replayed = expected.claimed.clone();
    if version == Version::Shipped {
        touched.extend(replayed.iter().map(String::as_str));
    }
    let n_left = expect_owned(state, request, &mut touched, &mut expected, version);
    let expired = expired(state, request, &touched);
    let returned: Vec<&str> = expired
        .iter()
        .copied()
        .filter(|id| {
            let ends = ends_by_sweep(state, id);
            if ends == Some(true) {
                expected.ended.push((*id).to_owned());
            }
            ends == Some(false)
        })
        .collect();
    let mut room = want;
    if want > 0 && picked.len() + returned.len() > 0 {
        if let Some(limit) = request.limits.active_limit {
            let n_active = state.band(ACTIVE, i64::MAX).len() as i64;
            let free = (limit - n_active + n_left + expired.len() as i64).max(0);
            room = room.min(usize::try_from(free).unwrap_or(0));
        }
        if let Some(pace) = request.limits.rate {
            room = room.min(rate_room(pace, state.rate_due(), request.moment.now));
        }
    }
    for id in picked {
        if expected.claimed.len() >= room && version == Version::Shipped {
            break;
        }
        let job = &state.jobs[id.as_str()];
        let live = matches!(job.phase(), Phase::Waiting | Phase::Active);
        if touched.contains(id.as_str()) || !live {
            continue;
        }
        let expires = job.spec.as_ref().and_then(|spec| spec.value.expires);
        match expires.is_some_and(|at| job.fence() == 0 && request.moment.now >= at) {
            true => expected.ended.push(id),
            false => expected.claimed.push(id),
        }
    }
    for id in returned {
        if expected.claimed.len() < room && !state.paused {
            expected.claimed.push(id.to_owned());
        }
    }
    expected
}

/// The expected replies to settle and renew, and how many attempts were accepted.
fn expect_owned<'a>(
    state: &State,
    request: &'a TickRequest,
    touched: &mut BTreeSet<&'a str>,
    expected: &mut TickExpected,
    version: Version,
) -> i64 {
    let mut settled: BTreeMap<&str, (u64, &str)> = BTreeMap::new();
    let mut n_left = 0;
    for attempt in &request.settle {
        let id = attempt.id.as_str();
        touched.insert(id);
        if let Some((_, before)) = settled.get(id).filter(|(fence, _)| *fence == attempt.fence) {
            let again = expect_again(before, attempt.outcome, version);
            expected.settled.push(again);
            continue;
        }
        if owned(state, id, attempt.fence).is_some() {
            let word = expect_settle(state, attempt, version);
            settled.insert(id, (attempt.fence, word));
            n_left += 1;
        }
        expected
            .settled
            .push(expect_settle(state, attempt, version));
    }
    for attempt in &request.renew {
        touched.insert(attempt.id.as_str());
        let ended = settled
            .get(attempt.id.as_str())
            .is_some_and(|(fence, _)| *fence == attempt.fence);
        let header = owned(state, &attempt.id, attempt.fence).filter(|_| !ended);
        expected.renewed.push(match header {
            None => "stale",
            Some(header) if header.cancel => "cancel",
            Some(_) => "ok",
        });
    }
    n_left
}

/// Jobs whose lease has expired, and other entries among them.
fn expired<'a>(state: &'a State, request: &TickRequest, touched: &BTreeSet<&str>) -> Vec<&'a str> {
    if !request.sweep {
        return Vec::new();
    }
    let ends = ACTIVE + request.moment.now - EPOCH + 1;
    let found = state.band(ACTIVE, ends).into_iter().take(MOST_LOOKED_AT);
    found
        .map(|(_, id)| id)
        .filter(|id| !touched.contains(id))
        .collect()
}

/// Whether the sweep ends the job; `None` if it was not active.
fn ends_by_sweep(state: &State, id: &str) -> Option<bool> {
    let job = &state.jobs[id];
    let (spec, header) = (job.spec.as_ref()?, &job.header.as_ref()?.value);
    if job.phase() != Phase::Active {
        return None;
    }
    let most = STALL_LIMIT.max(i64::from(spec.value.max_attempts));
    Some(header.cancel || header.stalls + 1 >= most)
}

/// The next jobs in order of score: those that wait and those that have become due.
fn in_order(state: &State, request: &TickRequest, version: Version) -> Vec<String> {
    let mut waiting = state.band(0, PARKED);
    let delayed = state.band(DELAYED, ACTIVE);
    for (score, id) in delayed.into_iter().take(MOST_LOOKED_AT) {
        let (run_at, priority) = ((score - DELAYED) / 16, (score - DELAYED) % 16);
        if run_at + EPOCH <= request.moment.now {
            waiting.push((run_at + (priority - 1) * request.moment.aging, id));
        }
    }
    waiting.sort_unstable();
    let n = match version {
        Version::Before => request.want,
        Version::Shipped => request.pick,
    };
    let ids = waiting.into_iter().map(|(_, id)| id.to_owned());
    ids.take(n).collect()
}

fn rate_room(pace: Pace, due: f64, now: i64) -> usize {
    let ahead = (due - now as f64).max(0.0);
    let room = (f64::from(pace.burst) - ahead / pace.interval + 0.000_001).floor();
    room.max(0.0) as usize
}

/// Whether a stored job is the one that is sent. The time of sending does not matter, and
/// a job that was debounced since has other arguments.
fn is_same_job(stored: &Stored<Spec>, sent: &str, debounced: bool) -> bool {
    let (line, args) = sent.split_once('\n').unwrap_or((sent, ""));
    let Ok(spec) = serde_json::from_str::<Spec>(line) else {
        return false;
    };
    let was = &stored.value;
    let same_kind = spec.kind == was.kind && spec.batch == was.batch;
    let same_key = debounced && spec.unique.is_some() && spec.unique == was.unique;
    let stored_args = stored.text.split_once('\n').map_or("", |(_, args)| args);
    stored.text == sent || same_kind && (same_key || args == stored_args)
}

fn owned<'a>(state: &'a State, id: &str, fence: u64) -> Option<&'a Header> {
    let job = state.record(id)?;
    job.spec.as_ref()?;
    let header = &job.header.as_ref()?.value;
    (header.fence == fence && header.state == "active").then_some(header)
}

fn expect_settle(state: &State, settle: &Settle, version: Version) -> &'static str {
    let (id, fence, outcome) = (settle.id.as_str(), settle.fence, settle.outcome);
    let Some(spec) = state.record(id).and_then(|job| job.spec.as_ref()) else {
        return "gone";
    };
    let Some(header) = owned(state, id, fence) else {
        let header = state.record(id).and_then(|job| job.header.as_ref());
        return match header.filter(|header| header.value.settled == Some(fence)) {
            Some(header) => expect_again(&header.value.state, outcome, version),
            None => "stale",
        };
    };
    match outcome {
        "retry" | "snooze" if header.cancel => "cancelled",
        "failed" if header.cancel && version == Version::Shipped => "cancelled",
        "retry" if header.attempts >= i64::from(spec.value.max_attempts) => "failed",
        other => other,
    }
}

/// The expected reply to an outcome that was accepted before: how the job ended, if it
/// ended differently.
fn expect_again(state: &str, outcome: &str, version: Version) -> &'static str {
    let ends = ["completed", "failed", "cancelled"];
    let end = ends
        .into_iter()
        .find(|end| *end == state && *end != outcome);
    match version {
        Version::Before => "dup",
        Version::Shipped => end.unwrap_or("dup"),
    }
}

/// The expected word and ID for each job to enqueue.
pub fn expect_enqueue(
    state: &State,
    request: &EnqueueRequest,
    specs: &[String],
    version: Version,
) -> Vec<(&'static str, String)> {
    // Time and priority of the jobs in this call that represent others of the same call.
    let mut terms: BTreeMap<String, (i64, u8)> = BTreeMap::new();
    let mut taken: BTreeMap<(bool, &str), &str> = BTreeMap::new();
    let mut answers = Vec::new();
    let mut n_replaced = 0;
    for (job, spec) in request.jobs.iter().zip(specs) {
        let own = |word| (word, job.id.clone());
        let stored = state
            .record(&job.id)
            .and_then(|record| record.spec.as_ref());
        let twin = taken.get(&(false, job.id.as_str())).copied().or_else(|| {
            let key = job.unique.as_deref()?;
            taken.get(&(true, key)).copied()
        });
        let slot_seen = job.slot.as_ref().map(|slot| {
            let seen = state.counters.get(&format!("slot:{}", slot.name));
            seen.and_then(|text| text.parse::<i64>().ok()).unwrap_or(-1)
        });
        let plan = job.slot.as_ref().and_then(|slot| {
            let known = state.counters.get(&format!("plan:{}", slot.name))?;
            Some(known != slot.plan)
        });
        let is_first = slot_seen.is_some_and(|seen| seen < 0) || plan == Some(true);
        let hastens = version == Version::Shipped && job.on_unique == Some("hasten");
        let mut hasten = |id: &str, stands: Option<(i64, u8)>| {
            let Some(stands) = terms.get(id).copied().or(stands) else {
                return "dup_other";
            };
            let better = (stands.0.min(job.run_at), stands.1.min(job.priority));
            terms.insert(id.to_owned(), better);
            if better == stands {
                "dup_other"
            } else {
                "sooner_other"
            }
        };
        let owner = job.unique.as_deref().and_then(|key| {
            let id = state.uniques.get(key)?;
            let record = state.record(id)?;
            matches!(record.phase(), Phase::Waiting | Phase::Active).then_some((id, record))
        });
        let gone = |entry: &String| !state.foreign.contains(entry);
        answers.push(if job.entry.as_ref().is_some_and(gone) {
            own("gone")
        } else if stored
            .is_some_and(|stored| !is_same_job(stored, spec, job.on_unique == Some("debounce")))
        {
            own("conflict")
        } else if stored.is_some() {
            // It represents the jobs after it, as it did the first time.
            if let (Some(key), Some((id, _))) = (&job.unique, owner)
                && *id == job.id
            {
                taken.insert((true, key), &job.id);
            }
            ("dup", twin.unwrap_or(&job.id).to_owned())
        } else if let Some(twin) = twin {
            let is_new = answers
                .iter()
                .any(|(word, id): &(&str, String)| *word == "new" && id == twin);
            match hastens && is_new {
                true => (hasten(twin, None), twin.to_owned()),
                false => ("dup", twin.to_owned()),
            }
        } else if let (Some(slot), Some(seen)) = (&job.slot, slot_seen)
            && (is_first || slot.at <= seen || slot.late && !slot.run_late)
        {
            own("slot")
        } else if let Some((id, record)) = owner
            && job.on_unique == Some("debounce")
            && record.fence() == 0
        {
            terms.insert(id.clone(), (job.run_at, job.priority));
            ("moved", id.clone())
        } else if let Some((id, record)) = owner
            && !(job.on_unique == Some("replace") && record.phase() == Phase::Waiting)
        {
            let spec = record.spec.as_ref().map(|spec| &spec.value);
            let stands = spec.map(|spec| (record.run_at(), spec.priority));
            let stands = stands.filter(|_| record.fence() == 0);
            match hastens {
                true => (hasten(id, stands), id.clone()),
                false => ("dup", id.clone()),
            }
        } else {
            terms.insert(job.id.clone(), (job.run_at, job.priority));
            n_replaced += usize::from(owner.is_some());
            taken.insert((false, &job.id), &job.id);
            if let Some(key) = &job.unique {
                taken.insert((true, key), &job.id);
            }
            own("new")
        });
    }
    let n_new = answers.iter().filter(|(word, _)| *word == "new").count();
    let n_indexed = state.n_indexed();
    if request
        .cap
        .is_some_and(|cap| n_new > 0 && n_new + n_indexed > cap + n_replaced)
    {
        let is_new = |(word, id): &(&str, String)| (*word == "new").then(|| id.clone());
        let full: BTreeSet<String> = answers.iter().filter_map(is_new).collect();
        for ((word, id), job) in answers.iter_mut().zip(&request.jobs) {
            if full.contains(id) {
                (*word, *id) = ("full", job.id.clone());
            }
        }
    }
    answers
}

pub fn expect_cancel(state: &State, id: &str) -> String {
    match state.record(id).map(|job| (job.phase(), &job.header)) {
        None | Some((Phase::Missing, _)) => "gone".to_owned(),
        Some((Phase::Waiting, _)) => "cancelled".to_owned(),
        Some((Phase::Active, _)) => "requested".to_owned(),
        Some((Phase::Finished, header)) => state_word(header.as_deref()),
    }
}

pub fn expect_change(state: &State, id: &str, moves_time: bool) -> String {
    match state.record(id).map(|job| (job.phase(), &job.header)) {
        None | Some((Phase::Missing, _)) => "gone".to_owned(),
        Some((Phase::Waiting, _)) => "changed".to_owned(),
        Some((Phase::Active, _)) if moves_time => "active".to_owned(),
        Some((Phase::Active, _)) => "next".to_owned(),
        Some((Phase::Finished, header)) => state_word(header.as_deref()),
    }
}

pub fn expect_purge(state: &State, id: &str) -> String {
    match state.record(id).map(|job| (job.phase(), &job.header)) {
        None | Some((Phase::Missing, _)) => "gone".to_owned(),
        Some((Phase::Finished, _)) => "purged".to_owned(),
        Some((_, header)) => state_word(header.as_deref()),
    }
}

/// The expected word for each ID. A repeated call has the same time.
pub fn expect_redrive(state: &State, request: &RedriveRequest) -> Vec<String> {
    let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
    let mut answers = Vec::new();
    for id in &request.ids {
        let Some((job, spec)) = state
            .record(id)
            .and_then(|job| Some((job, job.spec.as_ref()?)))
        else {
            answers.push("gone".to_owned());
            continue;
        };
        let header = job.header.as_ref().map(|header| &header.value);
        let word = state_word(job.header.as_deref());
        let by_this_call = header
            .is_some_and(|h| h.redriven && h.run_at == request.moment.now && !h.is_finished());
        let key = spec.value.unique.as_deref();
        let holder = key.and_then(|key| {
            let stored = state.uniques.get(key).map(String::as_str);
            taken.get(key).copied().or(stored)
        });
        answers.push(match word.as_str() {
            "waiting" if by_this_call => "redriven".to_owned(),
            "failed" | "cancelled" if holder.is_some_and(|h| !h.is_empty() && h != id) => {
                "unique".to_owned()
            }
            "failed" | "cancelled" => {
                if let Some(key) = key {
                    taken.insert(key, id);
                }
                "redriven".to_owned()
            }
            _ => word,
        });
    }
    answers
}

fn state_word(header: Option<&Stored<Header>>) -> String {
    header.map_or_else(|| "waiting".to_owned(), |header| header.value.state.clone())
}
