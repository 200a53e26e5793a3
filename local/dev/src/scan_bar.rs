//! Shows the progress of a scan on one line of a terminal.

use std::time::Duration;

use indicatif::{InMemoryTerm, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;
use shared::clock::Clock;

use crate::clip_table::shortened;

/// How much of a channel's name is shown.
const NAME: usize = 14;

/// A line of at most 80 columns. Where there is no terminal, nothing is drawn.
pub(crate) struct ScanBar {
    bar: ProgressBar,
    clock: Clock,
    began: Option<Begun>,
}

/// Where the scan was when it was first seen running.
struct Begun {
    at: Duration,
    messages: u64,
    percent: f64,
}

impl ScanBar {
    pub fn new(channel: &str, clock: Clock) -> ScanBar {
        let bar = ProgressBar::new(1000);
        let template = "{prefix} {bar:8} {percent:>3}%  {wide_msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(shortened(channel, NAME));
        ScanBar {
            bar,
            clock,
            began: None,
        }
    }

    /// Draws the line in memory, for a picture; also where there is no terminal.
    pub fn into_memory(self, columns: usize) -> (ScanBar, InMemoryTerm) {
        let terminal = InMemoryTerm::new(1, columns as u16);
        let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
        self.bar.set_draw_target(target);
        (self, terminal)
    }

    /// Shows the `currentState` of a reply.
    pub fn show(&mut self, state: &Value) {
        let percent = state["progress"]["percent"].as_f64().unwrap_or(0.0);
        let messages = state["progress"]["current"].as_u64().unwrap_or(0);
        let clips = state["clipsFound"].as_u64().unwrap_or(0);
        let status = state["status"].as_str().unwrap_or_default();
        self.bar.set_position((percent * 10.0) as u64);
        let mut told = format!("{messages} read, {clips} clips");
        match status {
            "RUNNING" => told.push_str(&self.pace(messages, percent)),
            "PENDING" => told.push_str(", waiting"),
            _ => {}
        }
        self.bar.set_message(told);
    }

    /// The rate, and the time left at that rate, once they can be told.
    fn pace(&mut self, messages: u64, percent: f64) -> String {
        let now = self.clock.elapsed();
        let began = self.began.get_or_insert(Begun {
            at: now,
            messages,
            percent,
        });
        let took = now.saturating_sub(began.at).as_secs_f64();
        // A scan that was handed on may begin to count anew.
        let (read, done) = (
            messages.saturating_sub(began.messages),
            percent - began.percent,
        );
        if took < 0.5 || read == 0 {
            return String::new();
        }
        let mut told = format!(", {:.0}/s", read as f64 / took);
        if done > 0.1 && percent < 100.0 {
            let left = took * (100.0 - percent) / done;
            told.push_str(&format!(", {} left", time(left)));
        }
        told
    }

    /// Leaves the line as it is.
    pub fn end(&self) {
        self.bar.abandon();
    }
}

/// `7 s`, `3 min`, `2 h`.
fn time(seconds: f64) -> String {
    match seconds {
        ..90.0 => format!("{:.0} s", seconds.ceil()),
        ..5400.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.0} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use indicatif::TermLike as _;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_has_the_channel_the_rate_and_the_time_left_in_80_columns() {
        let clock = Clock::manual(0);
        let bar = ScanBar::new("#a-channel-with-quite-a-long-name", clock.clone());
        let (mut bar, terminal) = bar.into_memory(80);
        assert_eq!(terminal.width(), 80);
        for (seconds, messages, percent) in [(0, 0, 0.0), (10, 1_234_500, 10.0)] {
            clock.advance(Duration::from_secs(seconds));
            bar.show(&json!({
                "status": "RUNNING", "clipsFound": 12_345,
                "progress": { "current": messages, "percent": percent },
            }));
        }
        bar.end();
        let shown = terminal.contents();
        assert_eq!(shown.lines().count(), 1, "{shown}");
        for part in [
            "#a-channel-wi…",
            "10%",
            "123450/s",
            "1234500 read",
            "2 min left",
        ] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
    }
}
