//! The scripts and their results as types. The only caller of a script.

use serde::Serialize;

use super::{JobId, Keys};
use crate::redis::{Error, Redis, Reply, Script};

macro_rules! scripts {
    ($($name:ident = $word:literal: $($part:literal),+;)+) => {
        $(static $name: Script = Script::new($word, &[$(include_str!(concat!("scripts/", $part, ".lua"))),+]);)+

        /// Every script, for tests that read or cut them.
        pub static ALL: &[&Script] = &[$(&$name),+];
    };
}

scripts! {
    TICK = "tick": "layout", "record", "settle", "claim", "sweep", "promote", "tick";
    ENQUEUE = "enqueue": "layout", "enqueue";
    CANCEL = "cancel": "layout", "record", "cancel";
    REDRIVE = "redrive": "layout", "record", "redrive";
    RETAIN = "retain": "layout", "record", "retain";
    PURGE = "purge": "layout", "record", "purge";
}

/// The scripts on the keys of one queue.
pub(super) struct Scripts<'a> {
    pub redis: &'a Redis,
    pub keys: &'a Keys,
}

#[derive(Serialize)]
pub(super) struct EnqueueRequest<'a> {
    pub now: i64,
    pub aging: u64,
    pub jobs: Vec<EnqueueJob<'a>>,
}

#[derive(Serialize)]
pub(super) struct EnqueueJob<'a> {
    pub id: &'a str,
    pub priority: u8,
    pub run_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct TickRequest {
    pub now: i64,
    pub day: String,
    pub token: String,
    pub want: usize,
    pub lease: u64,
    pub aging: u64,
    pub sweep: bool,
    pub replay: bool,
    pub settle: Vec<Settle>,
    pub renew: Vec<Renew>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Settle {
    pub id: String,
    pub fence: u64,
    pub outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Renew {
    pub id: String,
    pub fence: u64,
}

#[derive(Serialize)]
pub(super) struct RetainRequest {
    pub now: i64,
    pub completed_before: i64,
    pub failed_before: i64,
    pub completed_count: u64,
    pub batch: u64,
    pub days: Vec<String>,
}

/// What a tick answers, as it is on the wire.
pub(super) struct TickAnswer {
    pub settled: Vec<String>,
    pub renewed: Vec<String>,
    pub claimed: Vec<(String, String, String, String)>,
    pub ended: Vec<(String, String, String, String)>,
    pub next_due_ms: i64,
    pub paused: bool,
    pub retained_ms: i64,
}

impl crate::redis::FromReply for TickAnswer {
    fn from_reply(reply: Reply) -> Result<Self, Error> {
        type Jobs = Vec<(String, String, String, String)>;
        let items = <Vec<Reply>>::from_reply(reply)?;
        let [settled, renewed, claimed, ended, next, paused, retained] =
            <[Reply; 7]>::try_from(items).map_err(|_| Error::UnexpectedReply {
                expected: "the seven parts of a tick",
                found: "an array",
            })?;
        Ok(TickAnswer {
            settled: Vec::from_reply(settled)?,
            renewed: Vec::from_reply(renewed)?,
            claimed: Jobs::from_reply(claimed)?,
            ended: Jobs::from_reply(ended)?,
            next_due_ms: i64::from_reply(next)?,
            paused: bool::from_reply(paused)?,
            retained_ms: i64::from_reply(retained)?,
        })
    }
}

impl Scripts<'_> {
    pub async fn enqueue(
        &self,
        request: &EnqueueRequest<'_>,
        specs: Vec<String>,
    ) -> Result<Vec<(String, String)>, Error> {
        let args: Vec<String> = std::iter::once(json(request)).chain(specs).collect();
        let keys = [self.keys.index.as_str(), &self.keys.records];
        ENQUEUE.run(&**self.redis, &keys, &args).await
    }

    /// One round. Not sent twice by the client: the caller says `replay` instead.
    pub async fn tick(&self, request: &TickRequest) -> Result<TickAnswer, Error> {
        TICK.run_once(&**self.redis, &self.all(), &[json(request)])
            .await
    }

    pub async fn cancel(&self, now: i64, day: &str, id: &JobId) -> Result<String, Error> {
        let args = [now.to_string(), day.to_owned(), id.to_string()];
        CANCEL.run(&**self.redis, &self.all(), &args).await
    }

    pub async fn redrive(&self, now: i64, aging: u64, ids: &[JobId]) -> Result<Vec<String>, Error> {
        let mut args = vec![now.to_string(), aging.to_string()];
        args.extend(ids.iter().map(JobId::to_string));
        REDRIVE.run(&**self.redis, &self.all(), &args).await
    }

    pub async fn retain(&self, request: &RetainRequest) -> Result<Vec<String>, Error> {
        let keys = [self.keys.records.as_str(), &self.keys.finished];
        RETAIN.run(&**self.redis, &keys, &[json(request)]).await
    }

    pub async fn purge(&self, id: &JobId) -> Result<String, Error> {
        let keys = [self.keys.records.as_str(), &self.keys.finished];
        // Not again: the second answer would be that there is no such job.
        PURGE
            .run_once(&**self.redis, &keys, &[id.to_string()])
            .await
    }

    fn all(&self) -> [&str; 3] {
        [&self.keys.index, &self.keys.records, &self.keys.finished]
    }
}

/// The request types hold only text and numbers, so this cannot fail.
fn json(request: &impl Serialize) -> String {
    serde_json::to_string(request).unwrap_or_default()
}

/// The day a time falls on, as the counters name it: `20261121`.
pub(super) fn day(now_ms: i64) -> String {
    let days = now_ms.div_euclid(86_400_000);
    // Howard Hinnant's `civil_from_days`.
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}{month:02}{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_named_by_the_calendar() {
        assert_eq!(day(0), "19700101");
        assert_eq!(day(1_709_164_800_000), "20240229");
        assert_eq!(day(1_795_219_199_999), "20261120");
        assert_eq!(day(1_795_219_200_000), "20261121");
    }

    #[test]
    fn every_script_says_what_it_returns() {
        for script in ALL {
            assert!(script.text().contains("-- Returns"), "{}", script.name);
        }
    }
}
