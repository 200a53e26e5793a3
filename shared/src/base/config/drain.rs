//! The settings of the drainer alone.

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::environment::{ConfigError, Environment};
use crate::input;

/// What the drainer looks after besides the queue.
#[derive(Clone, Debug)]
pub struct DrainConfig {
    /// The stream other programs leave jobs in, whole: the key prefix is not put
    /// before it. From `FOREIGN_STREAM`. Defaults to `scan:jobs`.
    pub stream: String,
    /// Jobs that come again and again, from `RECURRING_JOBS`: a JSON list of
    /// `{"name", "cron" or "everySeconds", "missed", "job"}`. `cron` has five fields
    /// and is in UTC; `missed` is `skip` (the default) or `runOnce`, for slots that
    /// passed while nothing ran; `job` is what `POST /api/jobs` takes. Defaults to
    /// none.
    pub recurring: Vec<RecurringSetting>,
}

/// A recurring job as it is set.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecurringSetting {
    /// Names the slots: under another name, none has had a job.
    pub name: String,
    /// When it runs, as a cron expression in UTC. Either this or `every_seconds`.
    pub cron: Option<String>,
    /// How often it runs, from midnight UTC 1970 on.
    pub every_seconds: Option<u64>,
    /// What happens to slots nobody looked at. Defaults to `skip`.
    #[serde(default)]
    pub missed: MissedSetting,
    /// The body that `POST /api/jobs/scan` or its siblings would take.
    pub job: Box<RawValue>,
}

/// What happens to the slots that passed while no drainer looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MissedSetting {
    /// They get no job.
    #[default]
    Skip,
    /// The newest of them gets one.
    RunOnce,
}

impl RecurringSetting {
    /// The pause between two runs, if that is how they are given.
    pub fn every(&self) -> Option<Duration> {
        self.every_seconds.map(Duration::from_secs)
    }
}

impl Default for DrainConfig {
    fn default() -> DrainConfig {
        DrainConfig {
            stream: "scan:jobs".to_owned(),
            recurring: Vec::new(),
        }
    }
}

impl DrainConfig {
    /// # Errors
    /// The variable that is wrong.
    pub fn read(env: &Environment<'_>) -> Result<DrainConfig, ConfigError> {
        let default = DrainConfig::default();
        let recurring = match env.text("RECURRING_JOBS") {
            None => Vec::new(),
            Some(text) => read_recurring(&text).map_err(|reason| ConfigError::Refused {
                name: "RECURRING_JOBS",
                reason,
            })?,
        };
        Ok(DrainConfig {
            stream: env.text("FOREIGN_STREAM").unwrap_or(default.stream),
            recurring,
        })
    }
}

fn read_recurring(text: &str) -> Result<Vec<RecurringSetting>, String> {
    let list: Vec<RecurringSetting> = input::parse(text)?;
    for (n, one) in list.iter().enumerate() {
        let name = &one.name;
        if !(1..=128).contains(&name.len()) {
            return Err(format!("[{n}].name: expected 1 to 128 bytes"));
        }
        if list[..n].iter().any(|before| before.name == *name) {
            return Err(format!("[{n}].name: `{name}` is another's name already"));
        }
        if one.cron.is_some() == one.every_seconds.is_some() {
            return Err(format!("[{n}]: expected either cron or everySeconds"));
        }
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recurring_job_has_a_name_of_its_own_and_one_way_to_tell_its_times() {
        let read = |text: &str| read_recurring(text).map(|list| list.len());
        let job = r#""job":{"type":"scan"}"#;
        assert_eq!(read("[]"), Ok(0));
        assert_eq!(
            read(&format!(r#"[{{"name":"a","cron":"0 3 * * *",{job}}}]"#)),
            Ok(1)
        );
        let twice = format!(r#"{{"name":"a","everySeconds":60,{job}}}"#);
        for (wrong, reason) in [
            (
                format!(r#"[{{"name":"a",{job}}}]"#),
                "[0]: expected either cron or everySeconds",
            ),
            (
                format!(r#"[{{"name":"a","cron":"* * * * *","everySeconds":5,{job}}}]"#),
                "[0]: expected either cron or everySeconds",
            ),
            (
                format!("[{twice},{twice}]"),
                "[1].name: `a` is another's name already",
            ),
            (
                format!(r#"[{{"name":"a","everySecond":60,{job}}}]"#),
                "[0].everySecond: unknown field; did you mean everySeconds?",
            ),
            (
                format!(r#"[{{"name":"a","everySeconds":-1,{job}}}]"#),
                "[0].everySeconds: expected u64",
            ),
        ] {
            assert_eq!(read(&wrong), Err(reason.to_owned()), "{wrong}");
        }
    }
}
