//! Checks a history against the guarantees of the queue.

use std::collections::{BTreeMap, HashMap, HashSet};

use shared::queue::{JobId, JobState, Queue};

use super::intervals::{held, most_at_once};
use super::{ACTIVE_LIMIT, Event, GROUP_LIMIT, Line, Outcome, Phase};

/// A job and a fence.
pub type Attempt = (String, u64);

/// A round of a drainer, and the reply if there was one.
pub struct Round {
    pub process: String,
    pub sent_at: i64,
    pub now: i64,
    pub token: String,
    pub settle: Vec<Outcome>,
    pub renew: Vec<Attempt>,
    pub answer: Option<(i64, Event)>,
}

/// A job as its enqueuer knows it.
struct Stored {
    run_at: i64,
    group: Option<String>,
    acknowledged: bool,
}

/// The contents of a crowd's logs.
#[derive(Default)]
pub struct History {
    jobs: BTreeMap<String, Stored>,
    pub rounds: Vec<Round>,
    /// The outcomes of each run, and which process reported them.
    runs: HashMap<Attempt, Vec<(String, Option<String>)>>,
}

/// What the logs alone show.
#[derive(Debug)]
pub struct Checked {
    pub most_active: usize,
    pub broken: Vec<String>,
}

/// A round with a reply: who claimed what, and what was accepted.
struct Accepted<'a> {
    round: &'a Round,
    outcome: &'a Outcome,
    word: &'a str,
}

impl History {
    pub fn of(lines: &[Line]) -> History {
        let mut history = History::default();
        let mut places: HashMap<(String, u64), usize> = HashMap::new();
        for Line {
            at,
            process,
            phase,
            event,
        } in lines.iter().cloned()
        {
            match event {
                Event::Enqueue { id, run_at, group } => {
                    let stored = history.jobs.entry(id).or_insert(Stored {
                        run_at,
                        group,
                        acknowledged: false,
                    });
                    stored.acknowledged |= phase == Phase::Ok;
                }
                Event::Tick {
                    n,
                    now,
                    token,
                    settle,
                    renew,
                } => {
                    places.insert((process.clone(), n), history.rounds.len());
                    history.rounds.push(Round {
                        process,
                        sent_at: at,
                        now,
                        token,
                        settle,
                        renew,
                        answer: None,
                    });
                }
                Event::Ticked { n, .. } if phase == Phase::Ok => {
                    if let Some(place) = places.get(&(process, n)) {
                        history.rounds[*place].answer = Some((at, event));
                    }
                }
                Event::Ticked { .. } => {}
                Event::Run { id, fence, outcome } => {
                    let runs = history.runs.entry((id, fence)).or_default();
                    match phase {
                        Phase::Invoke => runs.push((process, None)),
                        _ => runs.iter_mut().for_each(|run| run.1 = outcome.clone()),
                    }
                }
            }
        }
        history
    }

    pub fn n_acknowledged(&self) -> usize {
        self.jobs.values().filter(|job| job.acknowledged).count()
    }

    pub fn n_runs(&self) -> usize {
        self.runs.len()
    }

    /// Finds contradictions within the logs.
    pub fn check(&self) -> Checked {
        let mut broken = Vec::new();
        self.claims(&mut broken);
        self.outcomes(&mut broken);
        let most_active = self.limits(&mut broken);
        Checked {
            most_active,
            broken,
        }
    }

    fn claimed(&self) -> impl Iterator<Item = (&Round, i64, &Attempt)> {
        self.rounds
            .iter()
            .filter_map(|round| match &round.answer {
                Some((at, Event::Ticked { claimed, .. })) => Some((round, *at, claimed)),
                _ => None,
            })
            .flat_map(|(round, at, claimed)| claimed.iter().map(move |job| (round, at, job)))
    }

    /// An attempt has one owner and one run, fences only increase, and no attempt starts
    /// before its time. Its time is measured when the reply arrives: a round that was in
    /// flight for long may claim a job that became due in the meantime.
    fn claims(&self, broken: &mut Vec<String>) {
        let mut owners: HashMap<&Attempt, (&Round, i64)> = HashMap::new();
        for (round, at, attempt) in self.claimed() {
            let (owner, _) = *owners.entry(attempt).or_insert((round, at));
            if (&owner.process, &owner.token) != (&round.process, &round.token) {
                broken.push(format!("{attempt:?} was handed out twice"));
            }
            match self.jobs.get(&attempt.0) {
                Some(job) if at < job.run_at => {
                    broken.push(format!("{attempt:?} began before its time"));
                }
                Some(_) => {}
                None => broken.push(format!("{attempt:?} is of a job nobody stored")),
            }
        }
        for ((id, fence), (_, at)) in &owners {
            let earlier = (1..*fence)
                .rev()
                .find_map(|fence| owners.get(&(id.clone(), fence)));
            if earlier.is_some_and(|(round, _)| round.sent_at > *at) {
                broken.push(format!("fence {fence} of {id} came before a lower one"));
            }
        }
        for (attempt, runs) in &self.runs {
            let owner = owners.get(attempt).map(|(round, _)| &round.process);
            if runs.len() > 1 || owner != runs.first().map(|(process, _)| process) {
                broken.push(format!(
                    "{attempt:?} was run by {runs:?} and is {owner:?}'s"
                ));
            }
        }
    }

    fn accepted(&self) -> Vec<Accepted<'_>> {
        let mut accepted = Vec::new();
        for round in &self.rounds {
            let Some((_, Event::Ticked { settled, .. })) = &round.answer else {
                continue;
            };
            for (outcome, word) in round.settle.iter().zip(settled) {
                accepted.push(Accepted {
                    round,
                    outcome,
                    word,
                });
            }
        }
        accepted
    }

    /// An outcome is accepted once per fence, a completion once per job, and a postponed
    /// job does not start early.
    fn outcomes(&self, broken: &mut Vec<String>) {
        let mut ends: HashSet<(&str, u64)> = HashSet::new();
        let mut completed: HashSet<&str> = HashSet::new();
        let mut put_off: HashMap<Attempt, i64> = HashMap::new();
        for Accepted {
            round,
            outcome,
            word,
        } in self.accepted()
        {
            let attempt = (outcome.id.as_str(), outcome.fence);
            match word {
                "stale" | "gone" => continue,
                "dup" => {}
                _ if !ends.insert(attempt) => {
                    broken.push(format!("{attempt:?} was settled twice: {}", round.process));
                }
                "completed" if !completed.insert(attempt.0) => {
                    broken.push(format!("{} completed twice", outcome.id));
                }
                _ => {}
            }
            if let Some(run_at) = outcome.run_at {
                put_off.insert((outcome.id.clone(), outcome.fence), run_at);
            }
        }
        for (_, at, (id, fence)) in self.claimed() {
            let before = fence.checked_sub(1).map(|before| (id.clone(), before));
            let run_at = before.and_then(|before| put_off.get(&before));
            if run_at.is_some_and(|run_at| at < *run_at) {
                broken.push(format!("fence {fence} of {id} began before its time"));
            }
        }
    }

    /// Checks the limits and returns the highest number of active jobs.
    fn limits(&self, broken: &mut Vec<String>) -> usize {
        let held = held(&self.rounds);
        let all = most_at_once(held.values());
        if all as u64 > ACTIVE_LIMIT {
            broken.push(format!("{all} were active at once"));
        }
        let mut groups: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for ((id, _), held) in &held {
            let group = self.jobs.get(id).and_then(|job| job.group.as_deref());
            groups
                .entry(group.unwrap_or_default())
                .or_default()
                .push(held);
        }
        for (group, held) in groups.into_iter().filter(|(group, _)| !group.is_empty()) {
            let most = most_at_once(held.into_iter());
            if most > GROUP_LIMIT as usize {
                broken.push(format!("{most} of {group} were active at once"));
            }
        }
        all
    }

    /// Checks that every acknowledged job completed once, in the attempt with its newest
    /// fence, and that no kill was counted as an attempt.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn check_database(&self, queue: &Queue) -> Result<Vec<String>, shared::queue::Error> {
        let mut broken = Vec::new();
        let (mut n_stored, mut n_flaky) = (0, 0);
        for (id, stored) in &self.jobs {
            let Some(job) = JobId::parse(id) else {
                continue;
            };
            let Some(job) = queue.job(&job).await? else {
                if stored.acknowledged {
                    broken.push(format!("{id} was acknowledged and is lost"));
                }
                continue;
            };
            n_stored += 1;
            n_flaky += u64::from(job.kind == "flaky");
            let attempts = if job.kind == "flaky" { 2 } else { 1 };
            if (job.state, job.attempts_made) != (JobState::Completed, attempts) {
                broken.push(format!(
                    "{} {id} is {:?} after {} attempts: {:?}",
                    job.kind, job.state, job.attempts_made, job.errors
                ));
            }
            let by = job.returnvalue.and_then(|value| value["fence"].as_u64());
            let run = self.runs.get(&(id.clone(), job.fence));
            let did = run.and_then(|runs| runs.first()?.1.as_deref());
            if by != Some(job.fence) || did != Some("completed") {
                broken.push(format!(
                    "{id} has the result of {by:?}, not of {}",
                    job.fence
                ));
            }
            let later = |(other, fence): &&Attempt| other == id && *fence > job.fence;
            if let Some(attempt) = self.runs.keys().find(later) {
                broken.push(format!("{attempt:?} ran after the end"));
            }
        }
        let stats = queue.stats().await?;
        let totals = (stats.lifetime.completed, stats.lifetime.retried);
        if totals != (n_stored, n_flaky) || stats.lifetime.failed + stats.lifetime.cancelled > 0 {
            broken.push(format!(
                "{n_stored} jobs, {n_flaky} flaky: {:?}",
                stats.lifetime
            ));
        }
        if (
            stats.completed,
            stats.waiting + stats.delayed + stats.active,
        ) != (n_stored, 0)
        {
            broken.push(format!("{n_stored} jobs: {stats:?}"));
        }
        let audited = queue.audit().await?;
        if (audited.jobs, audited.repaired) != (n_stored, 0) {
            broken.push(format!("{n_stored} jobs: {audited:?}"));
        }
        Ok(broken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::log::parse;

    /// The violations in a history made of these lines, each `at process phase event`.
    fn broken(lines: &[&str]) -> Vec<String> {
        let lines: Vec<Line> = lines
            .iter()
            .map(|line| {
                let words: Vec<&str> = line.splitn(4, ' ').collect();
                let [at, process, phase, event] = words[..] else {
                    panic!("{line}");
                };
                parse(&format!(
                    r#"{{"at":{at},"process":"{process}","phase":"{phase}",{event}}}"#
                ))
                .unwrap()
            })
            .collect();
        History::of(&lines).check().broken
    }

    const STORED: &str = r#"1 e ok "op":"enqueue","id":"j","run_at":5,"group":"g""#;
    const STORED_TOO: &str = r#"1 e ok "op":"enqueue","id":"k","run_at":5,"group":"g""#;
    const STORED_AS_WELL: &str = r#"1 e ok "op":"enqueue","id":"l","run_at":5,"group":"g""#;

    fn sent(at: i64, process: &str, n: u64, settle: &str) -> String {
        format!(
            r#"{at} {process} invoke "op":"tick","n":{n},"now":{at},"token":"{process}{n}","settle":[{settle}],"renew":[]"#
        )
    }

    fn answered(at: i64, process: &str, n: u64, settled: &str, claimed: &str) -> String {
        format!(
            r#"{at} {process} ok "op":"ticked","n":{n},"settled":[{settled}],"renewed":[],"claimed":[{claimed}]"#
        )
    }

    fn ran(at: i64, process: &str, fence: u64) -> String {
        format!(r#"{at} {process} invoke "op":"run","id":"j","fence":{fence},"outcome":null"#)
    }

    const DONE: &str = r#"{"id":"j","fence":1,"outcome":"completed","run_at":null}"#;

    #[test]
    fn a_life_as_promised_breaks_nothing() {
        let lines = [
            STORED.to_owned(),
            sent(10, "a", 0, ""),
            answered(11, "a", 0, "", r#"["j",1]"#),
            ran(12, "a", 1),
            sent(20, "a", 1, DONE),
            answered(21, "a", 1, r#""completed""#, ""),
        ];
        assert!(broken(&lines.each_ref().map(String::as_str)).is_empty());
    }

    #[test]
    fn each_broken_promise_is_found() {
        let claim = |at, process: &str, job: &str| {
            [
                sent(at, process, 0, ""),
                answered(at + 1, process, 0, "", job),
            ]
        };
        let settle = |at, process: &str| {
            [
                sent(at, process, 1, DONE),
                answered(at + 1, process, 1, r#""completed""#, ""),
            ]
        };
        let cases: [(&str, Vec<[String; 2]>); 6] = [
            (
                "handed out twice",
                vec![claim(10, "a", r#"["j",1]"#), claim(20, "b", r#"["j",1]"#)],
            ),
            (
                "settled twice",
                vec![
                    claim(10, "a", r#"["j",1]"#),
                    settle(20, "a"),
                    settle(30, "b"),
                ],
            ),
            ("before its time", vec![claim(2, "a", r#"["j",1]"#)]),
            ("nobody stored", vec![claim(10, "a", r#"["x",1]"#)]),
            (
                "was run by",
                vec![
                    claim(10, "a", r#"["j",1]"#),
                    [ran(12, "a", 1), ran(13, "b", 1)],
                ],
            ),
            (
                "3 of g were active",
                vec![
                    claim(10, "a", r#"["j",1],["k",1]"#),
                    claim(20, "b", r#"["l",1]"#),
                ],
            ),
        ];
        for (promise, steps) in cases {
            let mut lines = vec![STORED, STORED_TOO, STORED_AS_WELL];
            lines.extend(steps.iter().flatten().map(String::as_str));
            let broken = broken(&lines);
            assert!(
                broken.iter().any(|text| text.contains(promise)),
                "{promise}: {broken:?}"
            );
        }
    }
}
