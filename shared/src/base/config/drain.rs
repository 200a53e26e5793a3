//! The settings of the drainer alone.

use std::time::Duration;

use serde::Deserialize;

use super::environment::{ConfigError, Environment};
use crate::base::outbound::Hosts;
use crate::input;

/// What the drainer handles besides the queue.
#[derive(Clone, Debug)]
pub struct DrainConfig {
    /// The stream that other programs add jobs to, from `FOREIGN_STREAM`. This is its full
    /// name; the key prefix is not added. Defaults to `scan:jobs`.
    pub stream: String,
    /// The recurring jobs, from `RECURRING_JOBS`: a JSON list of `{"name", "cron" or
    /// "everySeconds", "missed", "job"}`. `cron` has five fields and is in UTC. `missed` is
    /// `skip` (the default) or `runOnce`, for slots that passed while no drainer ran. `job`
    /// is a body of `POST /api/jobs`. Defaults to none.
    pub recurring: Vec<RecurringSetting>,
    /// The hosts that a guild's webhook may have, from `WEBHOOK_HOSTS`: `host` or
    /// `host:port`, separated by commas. Defaults to every host on the public internet.
    pub webhook_hosts: Hosts,
}

/// The setting of one recurring job.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecurringSetting {
    /// Identifies the schedule. A job with another name has a new schedule.
    pub name: String,
    /// The schedule as a cron expression, in UTC. Set either this or `every_seconds`.
    pub cron: Option<String>,
    /// The schedule as an interval, counted from midnight UTC, 1 January 1970.
    pub every_seconds: Option<u64>,
    /// What happens to slots that passed while no drainer ran. Defaults to `skip`.
    #[serde(default)]
    pub missed: MissedSetting,
    /// The job, as the body of `POST /api/jobs` or a more specific route.
    pub job: serde_json::Value,
}

/// What happens to slots that passed while no drainer ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MissedSetting {
    /// They get no job.
    #[default]
    Skip,
    /// The newest of them gets a job.
    RunOnce,
}

impl RecurringSetting {
    /// The interval, if the schedule is one.
    pub fn every(&self) -> Option<Duration> {
        self.every_seconds.map(Duration::from_secs)
    }
}

impl Default for DrainConfig {
    fn default() -> DrainConfig {
        DrainConfig {
            stream: "scan:jobs".to_owned(),
            recurring: Vec::new(),
            webhook_hosts: Hosts::public(),
        }
    }
}

impl DrainConfig {
    /// Reads this section.
    ///
    /// # Errors
    /// A variable is wrong.
    pub fn read(env: &Environment<'_>) -> Result<DrainConfig, ConfigError> {
        let default = DrainConfig::default();
        let recurring = match env.text("RECURRING_JOBS") {
            None => Vec::new(),
            Some(text) => read_recurring(&text).map_err(|reason| ConfigError::Refused {
                name: "RECURRING_JOBS",
                reason,
            })?,
        };
        let webhook_hosts = match env.text("WEBHOOK_HOSTS") {
            None => default.webhook_hosts,
            Some(text) => Hosts::listed(&text).ok_or(ConfigError::Invalid {
                name: "WEBHOOK_HOSTS",
                expected: "hosts, each with or without a port, separated by commas",
            })?,
        };
        Ok(DrainConfig {
            webhook_hosts,
            stream: env.text("FOREIGN_STREAM").unwrap_or(default.stream),
            recurring,
        })
    }
}

fn read_recurring(text: &str) -> Result<Vec<RecurringSetting>, String> {
    let list: Vec<RecurringSetting> = input::parse(text).map_err(|wrong| wrong.listed())?;
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
    fn a_recurring_job_needs_a_unique_name_and_exactly_one_schedule() {
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
                "[0].everySeconds: expected a whole number, not negative and not as large",
            ),
        ] {
            assert_eq!(read(&wrong), Err(reason.to_owned()), "{wrong}");
        }
    }
}
