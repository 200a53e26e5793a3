//! Expiry: the options of other commands, and the EXPIRE and TTL families.

use super::arguments::{Options, integer};
use super::{Args, Context};
use crate::errors::CommandError;
use crate::reply::{Outcome, Reply};

/// The unit of a time argument: seconds or milliseconds, relative or since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    pub seconds: bool,
    pub absolute: bool,
}

impl Unit {
    pub const EX: Self = Self::new(true, false);
    pub const PX: Self = Self::new(false, false);
    pub const EXAT: Self = Self::new(true, true);
    pub const PXAT: Self = Self::new(false, true);

    const fn new(seconds: bool, absolute: bool) -> Self {
        Self { seconds, absolute }
    }

    /// The unit that an option name stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "EX" => Some(Self::EX),
            "PX" => Some(Self::PX),
            "EXAT" => Some(Self::EXAT),
            "PXAT" => Some(Self::PXAT),
            _ => None,
        }
    }

    /// Unix milliseconds; `None` on overflow.
    pub fn at_ms(self, value: i64, now_ms: i64) -> Option<i64> {
        let ms = if self.seconds {
            value.checked_mul(1000)?
        } else {
            value
        };
        if self.absolute {
            Some(ms)
        } else {
            ms.checked_add(now_ms)
        }
    }
}

/// What a command's expiry option asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    Clear,
    Keep,
    At(i64),
}

/// The time given with `EX` or a similar option, which must be positive and must not
/// overflow.
pub fn positive_at_ms(
    unit: Unit,
    value: &[u8],
    now_ms: i64,
    command: &str,
) -> Result<i64, CommandError> {
    let value = integer(value)?;
    if value <= 0 {
        return Err(CommandError::invalid_expire(command));
    }
    unit.at_ms(value, now_ms)
        .ok_or_else(|| CommandError::invalid_expire(command))
}

pub fn expire(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    expire_in(context, args, Unit::EX, "expire")
}

pub fn pexpire(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    expire_in(context, args, Unit::PX, "pexpire")
}

pub fn expireat(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    expire_in(context, args, Unit::EXAT, "expireat")
}

pub fn pexpireat(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    expire_in(context, args, Unit::PXAT, "pexpireat")
}

/// The condition under which a new expiry is accepted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Condition {
    pub nx: bool,
    pub xx: bool,
    pub gt: bool,
    pub lt: bool,
}

impl Condition {
    fn parse(args: &[Vec<u8>]) -> Result<Self, CommandError> {
        let mut condition = Self::default();
        let mut options = Options::new(args, 0);
        while let Some(word) = options.word() {
            match word.as_str() {
                "NX" => condition.nx = true,
                "XX" => condition.xx = true,
                "GT" => condition.gt = true,
                "LT" => condition.lt = true,
                other => {
                    return Err(CommandError::new(format!("ERR Unsupported option {other}")));
                }
            }
        }
        condition.check()
    }

    pub fn check(self) -> Result<Self, CommandError> {
        if self.nx && (self.xx || self.gt || self.lt) {
            return Err(CommandError::fixed(
                "ERR NX and XX, GT or LT options at the same time are not compatible",
            ));
        }
        if self.gt && self.lt {
            return Err(CommandError::fixed(
                "ERR GT and LT options at the same time are not compatible",
            ));
        }
        Ok(self)
    }

    /// Whether `at_ms` may replace the current expiry. A key without an expiry counts as
    /// never expiring.
    pub fn allows(self, present: Option<i64>, at_ms: i64) -> bool {
        let refused = self.nx && present.is_some()
            || self.xx && present.is_none()
            || self.gt && present.is_none_or(|present| at_ms <= present)
            || self.lt && present.is_some_and(|present| at_ms >= present);
        !refused
    }
}

fn expire_in(context: &mut Context<'_>, args: Args<'_>, unit: Unit, command: &str) -> Outcome {
    let key = &args[1];
    let condition = Condition::parse(&args[3..])?;
    let at_ms = unit
        .at_ms(integer(&args[2])?, context.now_ms)
        .ok_or_else(|| CommandError::invalid_expire(command))?;
    let Some(entry) = context.db.entry(key) else {
        return Ok(Reply::Int(0));
    };
    if !condition.allows(entry.expire_at_ms, at_ms) {
        return Ok(Reply::Int(0));
    }
    if at_ms <= context.now_ms {
        context.db.remove(key);
    } else {
        context.db.set_expiry(key, Some(at_ms));
    }
    Ok(Reply::Int(1))
}

pub fn persist(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let expires = context
        .db
        .entry(&args[1])
        .is_some_and(|entry| entry.expire_at_ms.is_some());
    if expires {
        context.db.set_expiry(&args[1], None);
    }
    Ok(Reply::flag(expires))
}

pub fn ttl(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    // Rounds to the nearest second: a key with a TTL of 10 seconds returns 10, not 9.
    left(context, args, |at_ms, now_ms| (at_ms - now_ms + 500) / 1000)
}

pub fn pttl(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    left(context, args, |at_ms, now_ms| at_ms - now_ms)
}

pub fn expiretime(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    left(context, args, |at_ms, _| at_ms.saturating_add(500) / 1000)
}

pub fn pexpiretime(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    left(context, args, |at_ms, _| at_ms)
}

/// Returns -2 for a missing key and -1 for a key without an expiry.
fn left(context: &Context<'_>, args: Args<'_>, show: impl Fn(i64, i64) -> i64) -> Outcome {
    Ok(Reply::Int(match context.db.entry(&args[1]) {
        None => -2,
        Some(entry) => match entry.expire_at_ms {
            None => -1,
            Some(at_ms) => show(at_ms, context.now_ms).max(0),
        },
    }))
}

/// The single expiry option of GETEX, parsed but not validated: Redis replies to a
/// missing key before it rejects an invalid time.
pub enum GetexOption<'a> {
    None,
    Persist,
    Time(Unit, &'a [u8]),
}

impl GetexOption<'_> {
    pub fn resolve(&self, now_ms: i64, command: &str) -> Result<Expiry, CommandError> {
        match self {
            Self::None => Ok(Expiry::Keep),
            Self::Persist => Ok(Expiry::Clear),
            Self::Time(unit, value) => {
                Ok(Expiry::At(positive_at_ms(*unit, value, now_ms, command)?))
            }
        }
    }
}

pub fn getex_option(args: Args<'_>, from: usize) -> Result<GetexOption<'_>, CommandError> {
    let mut found = GetexOption::None;
    let mut options = Options::new(args, from);
    while let Some(word) = options.word() {
        found = match (Unit::from_word(&word), &found) {
            (Some(unit), GetexOption::None) => GetexOption::Time(unit, options.value()?),
            (None, GetexOption::None | GetexOption::Persist) if word == "PERSIST" => {
                GetexOption::Persist
            }
            _ => return Err(CommandError::SYNTAX),
        };
    }
    Ok(found)
}
