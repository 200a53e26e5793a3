//! The faults, how often they occur, and how often they did.

use std::collections::BTreeMap;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The request never arrives.
    RequestLost,
    /// The request is carried out, but the reply never arrives.
    ReplyLost,
    /// The request arrives after the caller has timed out and sent it again.
    Late,
    /// The request arrives twice.
    Twice,
    /// The request is refused, as over a quota; nothing is carried out.
    Refused,
    /// The script fails after some of its writes.
    Cut,
    /// The server forgets the scripts.
    Flushed,
    /// A drainer dies with jobs in progress.
    Crash,
    /// A drainer stalls for longer than a lease and then continues as if nothing had
    /// happened.
    Zombie,
    /// An actor's clock jumps by up to two seconds, possibly backwards.
    ClockStep,
    /// A replica takes over without the last writes.
    Rollback,
}

impl Fault {
    pub const ALL: [Fault; 11] = [
        Fault::RequestLost,
        Fault::ReplyLost,
        Fault::Late,
        Fault::Twice,
        Fault::Refused,
        Fault::Cut,
        Fault::Flushed,
        Fault::Crash,
        Fault::Zombie,
        Fault::ClockStep,
        Fault::Rollback,
    ];

    /// How many requests out of a thousand it affects. For faults of actors, how many
    /// steps.
    fn per_thousand(self) -> f64 {
        match self {
            Fault::RequestLost | Fault::ReplyLost => 25.0,
            Fault::Late | Fault::Twice | Fault::Cut => 15.0,
            Fault::Refused => 8.0,
            Fault::Flushed | Fault::Crash | Fault::ClockStep => 4.0,
            Fault::Zombie => 2.5,
            Fault::Rollback => 0.7,
        }
    }
}

/// The faults of a run, and how many occurred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    enabled: Vec<Fault>,
    pub fired: BTreeMap<Fault, u64>,
}

impl Faults {
    pub fn all() -> Faults {
        Faults::only(&Fault::ALL)
    }

    pub fn none() -> Faults {
        Faults::only(&[])
    }

    pub fn only(enabled: &[Fault]) -> Faults {
        Faults {
            enabled: enabled.to_vec(),
            fired: BTreeMap::new(),
        }
    }

    #[must_use]
    pub fn without(&self, fault: Fault) -> Faults {
        let enabled: Vec<Fault> = self
            .enabled
            .iter()
            .copied()
            .filter(|f| *f != fault)
            .collect();
        Faults::only(&enabled)
    }

    /// Stops all faults.
    pub fn cease(&mut self) {
        self.enabled.clear();
    }

    pub fn enabled(&self) -> &[Fault] {
        &self.enabled
    }

    pub fn has(&self, fault: Fault) -> bool {
        self.enabled.contains(&fault)
    }

    /// Whether `fault` occurs now.
    pub fn strike(&mut self, fault: Fault, random: &mut fastrand::Rng) -> bool {
        let fires = self.has(fault) && random.f64() * 1000.0 < fault.per_thousand();
        if fires {
            *self.fired.entry(fault).or_default() += 1;
        }
        fires
    }

    /// The fault that affects a request, if any.
    pub fn befall_request(&mut self, random: &mut fastrand::Rng) -> Option<Fault> {
        [
            Fault::RequestLost,
            Fault::ReplyLost,
            Fault::Late,
            Fault::Twice,
            Fault::Refused,
            Fault::Cut,
            Fault::Flushed,
        ]
        .into_iter()
        .find(|fault| self.strike(*fault, random))
    }
}

/// The text of a script that fails before its write number `writes + 1`.
pub fn cut(text: &str, writes: u32) -> String {
    let (shebang, body) = text.split_once('\n').unwrap_or(("", text));
    format!(
        "{shebang}\n\
         local redis_call, written = redis.call, 0\n\
         local reading = {{ HMGET = true, HGET = true, HGETALL = true, HLEN = true, HEXISTS = true,\n\
           ZRANGE = true, ZCARD = true, ZCOUNT = true, ZSCORE = true, ZMSCORE = true, ZRANDMEMBER = true,\n\
           XRANGE = true, HSCAN = true, GET = true, EXISTS = true }}\n\
         local redis = {{ call = function(name, ...)\n\
           if not reading[name] then\n\
             if written == {writes} then error('cut') end\n\
             written = written + 1\n\
           end\n\
           return redis_call(name, ...)\n\
         end }}\n\
         {body}"
    )
}
