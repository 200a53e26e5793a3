//! The queue in one engine, the true time, and the requests in flight.

use std::collections::{BTreeMap, VecDeque};

use shared::queue::layout::PAUSE;
use shared::queue::{Keys, SCRIPTS};
use upstash_local::{Clock, DirectReply, Embedded, Snapshot};

use super::Settings;
use super::calls::{Call, Limits, Moment, Version};
use super::drainer::{AGING_MS, day};
use super::faults::{Fault, Faults, cut};
use super::history::{History, Step, Violation, violation};
use super::known::KNOWN;
use super::state::State;
use crate::START_MS;

/// Maximum clock error of an actor, in milliseconds.
pub const SKEW_MS: i64 = 2000;
/// Maximum delay of a request, in milliseconds. No client waits longer.
const LATEST_MS: i64 = 15_000;
/// Number of last steps to print when an invariant breaks.
const REMEMBERED: usize = 60;

/// What a caller learns about its request.
#[derive(Debug)]
pub enum Delivery {
    Reply(DirectReply),
    /// It is unknown whether the request was carried out.
    Unknown,
    /// The reply was an error.
    Refused,
}

/// The scripts of one release.
struct Release {
    texts: BTreeMap<&'static str, (String, String)>,
}

pub struct World {
    pub random: fastrand::Rng,
    pub faults: Faults,
    pub history: History,
    pub state: State,
    pub now_ms: i64,
    pub n_calls: u64,
    pub n_billed: u64,
    /// The settings of the queue.
    pub limits: Limits,
    /// Whether to use features that the previous release does not know.
    pub newer: bool,
    n_entries: u64,
    pub(super) engine: Embedded,
    pub(super) keys: Vec<String>,
    shipped: Release,
    before: Release,
    late: BTreeMap<(i64, u64), (Version, Call)>,
    pub(super) snapshots: VecDeque<Snapshot>,
    /// The last steps; `None` if they are not needed.
    trail: Option<VecDeque<String>>,
    pub step: u64,
}

impl World {
    pub fn new(settings: &Settings, keeps_trail: bool) -> World {
        let clock = Clock::manual(START_MS);
        let keys = Keys::new("sim:", "queue");
        let mut texts: Vec<(&str, String)> = SCRIPTS
            .iter()
            .map(|script| (script.name, script.text().to_owned()))
            .collect();
        for patch in &KNOWN {
            for (_, text) in &mut texts {
                *text = text.replace(patch.from, patch.to);
            }
        }
        for patch in &settings.patches {
            let applies = texts.iter().any(|(_, text)| text.contains(patch.from));
            assert!(applies, "no script says {}", patch.from);
            for (_, text) in &mut texts {
                *text = text.replace(patch.from, patch.to);
            }
        }
        World {
            random: fastrand::Rng::with_seed(settings.seed),
            faults: settings.faults.clone(),
            history: History::default(),
            state: State::default(),
            now_ms: START_MS,
            n_calls: 0,
            n_billed: 0,
            limits: settings.limits.clone(),
            newer: settings.newer,
            n_entries: 0,
            engine: Embedded::new(clock, settings.seed).expect("Lua can be set up"),
            keys: vec![
                keys.index,
                keys.records,
                keys.finished,
                keys.parked,
                "foreign".to_owned(),
            ],
            shipped: Release::of(texts.into_iter()),
            before: Release::of(
                BEFORE
                    .map(|(name, text)| (name, text.to_owned()))
                    .into_iter(),
            ),
            late: BTreeMap::new(),
            snapshots: VecDeque::new(),
            trail: keeps_trail.then(VecDeque::new),
            step: 0,
        }
    }

    pub fn advance(&mut self, by_ms: i64) {
        self.now_ms += by_ms;
        self.engine.clock().set(self.now_ms);
    }

    /// Whether a fault affects an actor now.
    pub fn strike(&mut self, fault: Fault) -> bool {
        self.faults.strike(fault, &mut self.random)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.random.usize(..bound.max(1))
    }

    pub fn chance(&mut self, per_cent: f64) -> bool {
        self.random.f64() * 100.0 < per_cent
    }

    /// Records a step, if steps are to be printed.
    pub fn note(&mut self, text: impl FnOnce() -> String) {
        let Some(trail) = &mut self.trail else { return };
        if trail.len() == REMEMBERED {
            trail.pop_front();
        }
        let at_ms = self.now_ms - START_MS;
        trail.push_back(format!("{:>7} {at_ms:>9} {}", self.step, text()));
    }

    pub fn trail(&self) -> Vec<String> {
        self.trail.iter().flatten().cloned().collect()
    }

    /// Sends a request through a network that loses, duplicates and delays requests.
    ///
    /// # Errors
    /// If an invariant breaks.
    pub fn send(
        &mut self,
        who: &str,
        version: Version,
        call: &Call,
    ) -> Result<Delivery, Violation> {
        let fault = self.faults.befall_request(&mut self.random);
        self.note(|| format!("{who} {version:?} {fault:?} {}", brief(call)));
        match fault {
            Some(Fault::RequestLost) => return Ok(Delivery::Unknown),
            Some(Fault::Refused) => return Ok(Delivery::Refused),
            Some(Fault::Late) => {
                let due_ms = self.now_ms + self.random.i64(1..LATEST_MS);
                self.late
                    .insert((due_ms, self.step), (version, call.clone()));
                return Ok(Delivery::Unknown);
            }
            Some(Fault::Flushed) => {
                self.engine.call(&[b"SCRIPT", b"FLUSH"]);
            }
            Some(Fault::Twice) => {
                let first = self.carry_out(version, call, None)?;
                let second = self.carry_out(version, call, None)?;
                let reply = if self.random.bool() { first } else { second };
                return Ok(Delivery::Reply(reply));
            }
            Some(Fault::Cut) => {
                let writes = self.random.u32(0..6);
                let reply = self.carry_out(version, call, Some(writes))?;
                return Ok(match reply {
                    DirectReply::Error(_) if self.random.bool() => Delivery::Refused,
                    DirectReply::Error(_) => Delivery::Unknown,
                    reply => Delivery::Reply(reply),
                });
            }
            _ => {}
        }
        let reply = self.carry_out(version, call, None)?;
        Ok(match fault {
            Some(Fault::ReplyLost) => Delivery::Unknown,
            _ => Delivery::Reply(reply),
        })
    }

    /// Carries out a late request whose caller no longer waits.
    ///
    /// # Errors
    /// As for [`World::send`].
    pub fn deliver_late(&mut self) -> Result<(), Violation> {
        while let Some((&(due_ms, n), _)) = self.late.first_key_value()
            && due_ms <= self.now_ms
        {
            if let Some((version, call)) = self.late.remove(&(due_ms, n)) {
                self.note(|| format!("late, from step {n}: {}", brief(&call)));
                self.carry_out(version, &call, None)?;
            }
        }
        Ok(())
    }

    /// The common fields of a request, with the time of a clock that is off by this much.
    pub fn moment(&self, skew_ms: i64) -> Moment {
        Moment {
            now: self.now_ms + skew_ms,
            day: day(self.now_ms),
            aging: AGING_MS,
        }
    }

    /// Another program adds an entry to the foreign stream.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn leave_entry(&mut self) -> Result<(), Violation> {
        self.n_entries += 1;
        let id = format!("{}-{}", self.now_ms, self.n_entries);
        let key = self.keys[4].clone();
        self.engine
            .call(&[b"XADD", key.as_bytes(), id.as_bytes(), b"type", b"x"]);
        self.note(|| format!("entry {id}"));
        self.state = self.read()?;
        Ok(())
    }

    pub(super) fn read(&mut self) -> Result<State, Violation> {
        State::read(&mut self.engine, &self.keys, &self.state)
            .or_else(|why| violation("unreadable", why))
    }

    pub(super) fn carry_out(
        &mut self,
        version: Version,
        call: &Call,
        writes: Option<u32>,
    ) -> Result<DirectReply, Violation> {
        let (reply, n_billed) = self.run(version, call, writes);
        self.n_calls += 1;
        self.n_billed += n_billed;
        let after = self.read()?;
        let before = std::mem::replace(&mut self.state, after);
        self.note(|| format!("        -> {}", shorten(&render(&reply))));
        self.history.judge(&Step {
            call,
            version,
            before: &before,
            after: &self.state,
            reply: &reply,
            cut: writes.is_some(),
            n_billed,
            true_ms: self.now_ms,
            skew_ms: 2 * SKEW_MS,
        })?;
        Ok(reply)
    }

    fn run(&mut self, version: Version, call: &Call, writes: Option<u32>) -> (DirectReply, u64) {
        let Some(name) = call.script() else {
            let index = self.keys[0].clone();
            let before = self.engine.n_billed();
            let reply = match call {
                Call::Pause => {
                    self.engine
                        .call(&[b"ZADD", index.as_bytes(), b"-1", PAUSE.as_bytes()])
                }
                _ => self
                    .engine
                    .call(&[b"ZREM", index.as_bytes(), PAUSE.as_bytes()]),
            };
            return (reply, self.engine.n_billed() - before);
        };
        let release = match version {
            Version::Before => &self.before,
            Version::Shipped => &self.shipped,
        };
        let (text, sha) = &release.texts[name];
        let args = call.args(version);
        let keys: Vec<&str> = call
            .keys(version)
            .iter()
            .map(|n| self.keys[*n].as_str())
            .collect();
        let n_keys = keys.len().to_string();
        let rest: Vec<&[u8]> = std::iter::once(n_keys.as_bytes())
            .chain(keys.iter().map(|key| key.as_bytes()))
            .chain(args.iter().map(|arg| arg.as_bytes()))
            .collect();
        let mut words: Vec<&[u8]> = vec![b"EVALSHA", sha.as_bytes()];
        words.extend(&rest);
        let before = self.engine.n_billed();
        let cut_text = writes.map(|writes| cut(text, writes));
        if let Some(cut_text) = &cut_text {
            (words[0], words[1]) = (b"EVAL", cut_text.as_bytes());
            let reply = self.engine.call(&words);
            return (reply, self.engine.n_billed() - before);
        }
        let reply = self.engine.call(&words);
        if matches!(&reply, DirectReply::Error(text) if text.starts_with("NOSCRIPT")) {
            let before = self.engine.n_billed();
            (words[0], words[1]) = (b"EVAL", text.as_bytes());
            let reply = self.engine.call(&words);
            return (reply, self.engine.n_billed() - before);
        }
        (reply, self.engine.n_billed() - before)
    }
}

impl Release {
    fn of(texts: impl Iterator<Item = (&'static str, String)>) -> Release {
        let mut engine = Embedded::new(Clock::manual(0), 0).expect("Lua can be set up");
        let texts = texts.map(|(name, text)| {
            let sha = match engine.call(&[b"SCRIPT", b"LOAD", text.as_bytes()]) {
                DirectReply::Bulk(sha) => String::from_utf8_lossy(&sha).into_owned(),
                other => format!("{other:?}"),
            };
            (name, (text, sha))
        });
        Release {
            texts: texts.collect(),
        }
    }
}

macro_rules! fixture {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!("../../fixtures/queue-scripts-v1/", $name, ".lua")),
        )
    };
}

/// The scripts of the previous release.
const BEFORE: [(&str, &str); 6] = [
    fixture!("tick"),
    fixture!("enqueue"),
    fixture!("cancel"),
    fixture!("redrive"),
    fixture!("retain"),
    fixture!("purge"),
];

pub(super) fn brief(call: &Call) -> String {
    match call {
        Call::Pause | Call::Resume => format!("{call:?}"),
        _ => shorten(&format!(
            "{} {}",
            call.script().unwrap_or(""),
            call.args(Version::Shipped).join(" ")
        )),
    }
}

fn render(reply: &DirectReply) -> String {
    match reply {
        DirectReply::Bulk(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        DirectReply::Int(value) => value.to_string(),
        DirectReply::Array(items) => {
            let items: Vec<String> = items.iter().map(render).collect();
            format!("[{}]", items.join(", "))
        }
        other => format!("{other:?}"),
    }
}

fn shorten(text: &str) -> String {
    let text = text.replace('\n', " ");
    match text.char_indices().nth(700) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
