//! The complete stored state of the queue, read after every call.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde::Deserialize;
use shared::queue::layout;
use upstash_local::{DirectReply, Embedded};

use super::calls::Spec;

pub const EPOCH: i64 = layout::EPOCH_MS;
const UNIT: i64 = layout::BAND;
/// Where the ranges of the index start; see `layout.lua`.
pub const PARKED: i64 = UNIT;
pub const DELAYED: i64 = 2 * UNIT;
pub const ACTIVE: i64 = 4 * UNIT;

/// The part of a stored job that changes.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Header {
    pub state: String,
    pub fence: u64,
    pub attempts: i64,
    #[serde(default)]
    pub stalls: i64,
    #[serde(default)]
    pub run_at: i64,
    pub token: Option<String>,
    pub settled: Option<u64>,
    pub finished: Option<i64>,
    #[serde(default)]
    pub cancel: bool,
    #[serde(default)]
    pub redriven: bool,
    /// Whether its batch has counted it.
    #[serde(default)]
    pub batched: bool,
}

impl Header {
    pub fn is_finished(&self) -> bool {
        matches!(self.state.as_str(), "completed" | "failed" | "cancelled")
    }
}

/// A text and its parsed value.
#[derive(Debug)]
pub struct Stored<T> {
    pub text: String,
    pub value: T,
}

/// Everything stored about one job.
#[derive(Clone, Debug, Default)]
pub struct Record {
    pub spec: Option<Rc<Stored<Spec>>>,
    pub header: Option<Rc<Stored<Header>>>,
    pub data: Option<String>,
    pub index: Option<i64>,
    pub finished: Option<i64>,
}

/// Where a job belongs according to its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Missing,
    Waiting,
    Active,
    Finished,
}

impl Record {
    pub fn phase(&self) -> Phase {
        match (&self.spec, &self.header) {
            (None, _) => Phase::Missing,
            (Some(_), None) => Phase::Waiting,
            (Some(_), Some(header)) => match header.value.state.as_str() {
                "waiting" => Phase::Waiting,
                "active" => Phase::Active,
                _ => Phase::Finished,
            },
        }
    }

    /// Stored but not indexed, by a call that failed. Repeating the call repairs it.
    pub fn is_half_stored(&self) -> bool {
        self.spec.is_some() && self.header.is_none() && self.index.is_none()
    }

    pub fn is_parked(&self) -> bool {
        self.index
            .is_some_and(|score| (PARKED..DELAYED).contains(&score))
    }

    pub fn group(&self) -> Option<&str> {
        self.spec.as_ref()?.value.group.as_deref()
    }

    pub fn fence(&self) -> u64 {
        self.header.as_ref().map_or(0, |header| header.value.fence)
    }

    pub fn run_at(&self) -> i64 {
        match (&self.header, &self.spec) {
            (Some(header), _) => header.value.run_at,
            (None, Some(spec)) => spec.value.run_at,
            (None, None) => 0,
        }
    }

    /// Whether both sorted sets agree with the record (I1).
    pub fn is_consistent(&self) -> bool {
        let header = self.header.as_ref().map(|header| &header.value);
        match (self.phase(), self.index, self.finished) {
            (Phase::Missing, None, None) => self.header.is_none() && self.data.is_none(),
            (Phase::Waiting, Some(score), None) => (0..ACTIVE).contains(&score),
            (Phase::Active, Some(score), None) => score >= ACTIVE,
            (Phase::Finished, None, Some(score)) => header.is_some_and(|header| {
                let band = match header.state.as_str() {
                    "completed" => 0,
                    "failed" => UNIT,
                    _ => 2 * UNIT,
                };
                header.finished.map(|at| band + at - EPOCH) == Some(score)
            }),
            _ => false,
        }
    }

    /// Whether `other` is identical.
    pub fn is_same(&self, other: &Record) -> bool {
        fn text<T>(stored: &Option<Rc<Stored<T>>>) -> Option<&str> {
            stored.as_ref().map(|stored| stored.text.as_str())
        }
        self.index == other.index
            && self.finished == other.finished
            && text(&self.header) == text(&other.header)
            && text(&self.spec) == text(&other.spec)
            && self.data == other.data
    }
}

/// The queue at one moment.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub jobs: BTreeMap<String, Record>,
    /// Unique keys and their holders. A free key has an empty holder.
    pub uniques: BTreeMap<String, String>,
    pub counters: BTreeMap<String, String>,
    pub batches: BTreeMap<String, BatchState>,
    /// The IDs in the list of parked jobs.
    pub parked: BTreeSet<String>,
    /// The entries of the foreign stream.
    pub foreign: BTreeSet<String>,
    pub paused: bool,
}

/// The progress of a batch.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct BatchState {
    pub total: i64,
    pub left: i64,
}

impl State {
    /// Reads the keys index, records, finished, parked and foreign stream. Values that
    /// have not changed since `before` are not parsed again.
    pub fn read(engine: &mut Embedded, keys: &[String], before: &State) -> Result<State, String> {
        let mut state = State::default();
        for pair in words(engine.call(&[b"HGETALL", keys[1].as_bytes()])).chunks_exact(2) {
            state.take_field(&pair[0], &pair[1], before)?;
        }
        for (key, is_index) in [(&keys[0], true), (&keys[2], false)] {
            let reply = engine.call(&[b"ZRANGE", key.as_bytes(), b"0", b"-1", b"WITHSCORES"]);
            for pair in words(reply).chunks_exact(2) {
                let score: f64 = pair[1].parse().map_err(|_| "a score".to_owned())?;
                if pair[0] == layout::PAUSE {
                    state.paused = true;
                    continue;
                }
                let record = state.jobs.entry(pair[0].clone()).or_default();
                match is_index {
                    true => record.index = Some(score as i64),
                    false => record.finished = Some(score as i64),
                }
            }
        }
        let parked = engine.call(&[b"ZRANGE", keys[3].as_bytes(), b"0", b"-1"]);
        for member in words(parked) {
            let id = member.rsplit('\0').next().unwrap_or("");
            state.parked.insert(id.to_owned());
        }
        if let DirectReply::Array(entries) =
            engine.call(&[b"XRANGE", keys[4].as_bytes(), b"-", b"+"])
        {
            let ids = entries
                .into_iter()
                .filter_map(|entry| words(entry).into_iter().next());
            state.foreign = ids.collect();
        }
        Ok(state)
    }

    fn take_field(&mut self, field: &str, value: &str, before: &State) -> Result<(), String> {
        if let Some(name) = field.strip_prefix('#') {
            self.counters.insert(name.to_owned(), value.to_owned());
            return Ok(());
        }
        if let Some(key) = field.strip_prefix("u:") {
            self.uniques.insert(key.to_owned(), value.to_owned());
            return Ok(());
        }
        if let Some(id) = field.strip_prefix("b:") {
            let batch = serde_json::from_str(value).map_err(|error| format!("{error}: {value}"))?;
            self.batches.insert(id.to_owned(), batch);
            return Ok(());
        }
        // The holders of a group's places are internal to the scripts.
        if field.starts_with("g:") {
            return Ok(());
        }
        let (id, part) = field.split_once(':').unwrap_or((field, ""));
        let known = before.jobs.get(id);
        let record = self.jobs.entry(id.to_owned()).or_default();
        match part {
            "" => {
                let known = known.and_then(|known| known.header.as_ref());
                record.header = Some(reuse(known, value, value)?);
            }
            "p" => {
                let known = known.and_then(|known| known.spec.as_ref());
                let line = value.split_once('\n').map_or(value, |(line, _)| line);
                record.spec = Some(reuse(known, value, line)?);
            }
            "r" => record.data = Some(value.to_owned()),
            _ => return Err(format!("a field nobody knows: {field}")),
        }
        Ok(())
    }

    pub fn record(&self, id: &str) -> Option<&Record> {
        self.jobs.get(id)
    }

    /// The number of unfinished jobs and other entries in the index.
    pub fn n_indexed(&self) -> usize {
        self.jobs.values().filter(|job| job.index.is_some()).count()
    }

    pub fn counter(&self, name: &str) -> i64 {
        self.counters
            .get(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or(0)
    }

    /// The time that the pace has reached, in Unix milliseconds.
    pub fn rate_due(&self) -> f64 {
        let text = self.counters.get("rate");
        text.and_then(|text| text.parse().ok()).unwrap_or(0.0)
    }

    /// Index entries from `low` up to but excluding `high`, in order.
    pub fn band(&self, low: i64, high: i64) -> Vec<(i64, &str)> {
        let mut found: Vec<(i64, &str)> = self
            .jobs
            .iter()
            .filter_map(|(id, job)| Some((job.index?, id.as_str())))
            .filter(|(score, _)| (low..high).contains(score))
            .collect();
        found.sort_unstable();
        found
    }
}

fn reuse<T: for<'a> Deserialize<'a>>(
    known: Option<&Rc<Stored<T>>>,
    text: &str,
    json: &str,
) -> Result<Rc<Stored<T>>, String> {
    if let Some(known) = known
        && known.text == text
    {
        return Ok(Rc::clone(known));
    }
    let value = serde_json::from_str(json).map_err(|error| format!("{error}: {json}"))?;
    Ok(Rc::new(Stored {
        text: text.to_owned(),
        value,
    }))
}

/// The strings in an array.
pub fn words(reply: DirectReply) -> Vec<String> {
    let DirectReply::Array(items) = reply else {
        return Vec::new();
    };
    items
        .into_iter()
        .map(|item| match item {
            DirectReply::Bulk(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            DirectReply::Int(value) => value.to_string(),
            other => format!("{other:?}"),
        })
        .collect()
}

/// A job and its two versions.
pub type Difference<'a> = (&'a str, Option<&'a Record>, Option<&'a Record>);

/// The jobs that differ between two states.
pub fn differences<'a>(before: &'a State, after: &'a State) -> Vec<Difference<'a>> {
    let mut found = Vec::new();
    for (id, now) in &after.jobs {
        let was = before.jobs.get(id);
        if !was.is_some_and(|was| was.is_same(now)) {
            found.push((id.as_str(), was, Some(now)));
        }
    }
    for (id, was) in &before.jobs {
        if !after.jobs.contains_key(id) {
            found.push((id.as_str(), Some(was), None));
        }
    }
    found
}
