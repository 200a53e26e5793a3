//! A schedule, and when its next slot is.

use std::str::FromStr as _;

use croner::Cron;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::jobs::ScanOptions;

const MINUTE_MS: i64 = 60_000;

/// What a schedule belongs to: a guild, or one channel of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScheduleName {
    pub guild_id: String,
    /// `None` for the schedule of the whole guild.
    pub channel_id: Option<String>,
}

impl ScheduleName {
    /// The name as it is stored.
    pub fn text(&self) -> String {
        match &self.channel_id {
            Some(channel) => format!("{}:{channel}", self.guild_id),
            None => self.guild_id.clone(),
        }
    }

    pub(super) fn parse(text: &str) -> ScheduleName {
        let (guild, channel) = match text.split_once(':') {
            Some((guild, channel)) => (guild, Some(channel.to_owned())),
            None => (text, None),
        };
        ScheduleName {
            guild_id: guild.to_owned(),
            channel_id: channel,
        }
    }
}

/// When a schedule's slots begin: at a regular interval, or by a cron pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Timing {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_minutes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// The time zone of the cron pattern, by its IANA name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// What is wrong with a timing: the field, and what is expected there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimingError {
    pub field: &'static str,
    pub expected: String,
}

impl Timing {
    /// Checks that the timing names either an interval or a pattern whose slots never end.
    ///
    /// # Errors
    /// The field that is wrong.
    pub fn check(&self, now: i64) -> Result<(), TimingError> {
        let wrong = |field, expected: String| Err(TimingError { field, expected });
        match (&self.every_minutes, &self.cron) {
            (None, None) => {
                let expected = "expected everyMinutes or cron";
                return wrong("everyMinutes", expected.to_owned());
            }
            (Some(_), Some(_)) => {
                let expected = "cannot be combined with everyMinutes";
                return wrong("cron", expected.to_owned());
            }
            (Some(_), None) if self.time_zone.is_some() => {
                let expected = "cannot be combined with everyMinutes";
                return wrong("timeZone", expected.to_owned());
            }
            (Some(_), None) => return Ok(()),
            (None, Some(_)) => {}
        }
        if self.zone().is_none() {
            let expected = "expected the IANA name of a time zone, such as Europe/Berlin";
            return wrong("timeZone", expected.to_owned());
        }
        if let Err(error) = self.pattern() {
            return wrong("cron", error);
        }
        if self.next(now, now).is_none() {
            return wrong("cron", "this pattern never comes again".to_owned());
        }
        Ok(())
    }

    /// The first slot after `now`, in unix milliseconds. Intervals are counted from `begun`,
    /// so that the slots of many guilds do not begin in the same minute. `None` if the
    /// pattern never comes again, or is invalid.
    pub fn next(&self, begun: i64, now: i64) -> Option<i64> {
        if let Some(minutes) = self.every_minutes {
            let pause = i64::try_from(minutes).ok()?.checked_mul(MINUTE_MS)?;
            let passed = (now - begun).max(0).checked_div(pause)?;
            return begun.checked_add((passed + 1).checked_mul(pause)?);
        }
        let zone = self.zone()?;
        let from = Timestamp::from_millisecond(now).ok()?.to_zoned(zone);
        let pattern = self.pattern().ok()?;
        let next = pattern.find_next_occurrence(&from, false).ok()?;
        // A slot has no fraction of a second.
        Some(next.timestamp().as_second() * 1000).filter(|next| *next > now)
    }

    fn zone(&self) -> Option<TimeZone> {
        let name = self.time_zone.as_deref().unwrap_or("UTC");
        let zone = jiff::tz::db().get(name).ok()?;
        // It is also found in other letters, but a name has one form.
        (zone.iana_name() == Some(name)).then_some(zone)
    }

    fn pattern(&self) -> Result<Cron, String> {
        let pattern = self.cron.as_deref().unwrap_or_default();
        // Drainers look once a minute, so seconds would promise too much.
        if !pattern.starts_with('@') && pattern.split_whitespace().count() != 5 {
            return Err("expected a pattern of five fields, such as `0 4 * * *`".to_owned());
        }
        Cron::from_str(pattern).map_err(|_| {
            let expected = "expected a minute (0-59), an hour (0-23), a day of the month (1-31), \
                a month (1-12) and a day of the week (0-7), such as `0 4 * * *`";
            expected.to_owned()
        })
    }
}

/// A schedule as it is stored: forward scans of a guild or of a channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduledScan {
    /// Differs for each change of a schedule.
    pub revision: String,
    #[serde(flatten)]
    pub timing: Timing,
    #[serde(default)]
    pub options: ScanOptions,
    /// Since when the schedule is as it is, in unix milliseconds.
    pub updated_at: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21 10:07:30.500 UTC, a Saturday.
    const NOW: i64 = 1_795_255_650_500;

    fn cron(pattern: &str, zone: &str) -> Timing {
        Timing {
            cron: Some(pattern.to_owned()),
            time_zone: Some(zone.to_owned()),
            ..Timing::default()
        }
    }

    fn every(minutes: u64) -> Timing {
        Timing {
            every_minutes: Some(minutes),
            ..Timing::default()
        }
    }

    fn ms(time: &str) -> i64 {
        time.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn an_interval_counts_from_the_schedules_beginning() {
        assert_eq!(every(15).next(NOW, NOW), Some(NOW + 900_000));
        assert_eq!(every(15).next(NOW, NOW + 899_999), Some(NOW + 900_000));
        assert_eq!(every(15).next(NOW, NOW + 900_000), Some(NOW + 1_800_000));
        // A clock that was set back does not make a schedule run for ever.
        assert_eq!(every(15).next(NOW, NOW - 5_000_000), Some(NOW + 900_000));
        assert_eq!(every(u64::MAX).next(NOW, NOW), None);
        assert_eq!(every(0).next(NOW, NOW), None);
    }

    #[test]
    fn a_pattern_is_in_its_time_zone_in_summer_and_in_winter() {
        let daily = cron("0 4 * * *", "Europe/Berlin");
        assert_eq!(
            daily.next(0, ms("2026-01-10T12:00:00Z")),
            Some(ms("2026-01-11T03:00:00Z"))
        );
        assert_eq!(
            daily.next(0, ms("2026-07-10T12:00:00Z")),
            Some(ms("2026-07-11T02:00:00Z"))
        );
        assert_eq!(
            daily.next(0, ms("2026-07-11T02:00:00Z")),
            Some(ms("2026-07-12T02:00:00Z"))
        );
        let none = Timing {
            time_zone: None,
            ..daily
        };
        assert_eq!(
            none.next(0, ms("2026-07-10T12:00:00Z")),
            Some(ms("2026-07-11T04:00:00Z"))
        );
    }

    #[test]
    fn a_time_that_the_clock_change_skips_or_repeats_has_one_slot_a_day() {
        // On 29 March 2026 the clocks go from 2:00 to 3:00, on 25 October from 3:00 to 2:00.
        let half_past_two = cron("30 2 * * *", "Europe/Berlin");
        for (day, date) in [
            ("2026-03-28T12:00:00Z", "2026-03"),
            ("2026-10-24T12:00:00Z", "2026-10"),
        ] {
            let begin = ms(day);
            let mut slots = Vec::new();
            let mut now = begin;
            while let Some(next) = half_past_two.next(0, now) {
                if next > begin + 3 * 86_400_000 {
                    break;
                }
                slots.push(next);
                now = next;
            }
            assert_eq!(slots.len(), 3, "{date}: {slots:?}");
        }
    }

    #[test]
    fn an_impossible_timing_is_refused_by_its_field() {
        let field = |timing: Timing| timing.check(NOW).unwrap_err().field;
        assert_eq!(field(Timing::default()), "everyMinutes");
        let both = Timing {
            every_minutes: Some(5),
            ..cron("* * * * *", "UTC")
        };
        assert_eq!(field(both), "cron");
        let zone = Timing {
            time_zone: Some("UTC".to_owned()),
            ..every(5)
        };
        assert_eq!(field(zone), "timeZone");
        for name in ["", "Mars/Olympus", "europe/berlin", "+02:00", "CEST"] {
            assert_eq!(field(cron("* * * * *", name)), "timeZone", "{name}");
        }
        for pattern in [
            "",
            "soon",
            "* * * *",
            "61 * * * *",
            "* * * * * *",
            "0 0 30 2 *",
        ] {
            assert_eq!(field(cron(pattern, "UTC")), "cron", "{pattern}");
        }
        assert_eq!(cron("0 0 29 2 *", "Asia/Kolkata").check(NOW), Ok(()));
        assert_eq!(every(1).check(NOW), Ok(()));
    }
}
