//! A function running as a process with its own runtime API.

use std::io::{Read as _, Seek as _};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::body::Bytes;
use serde_json::Value;
use shared::clock::Clock;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

use super::emulator::{Call, Emulator};
use super::program::Program;
use super::share::Share;
use crate::measure::Process;

/// Far longer than any step takes, even with a small share of a processor.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many lines of a failed function's log are shown.
const LAST_LINES: usize = 8;

/// Reads a line and then replaces itself with the program. Until then the process can be
/// put into a control group, and the start can be timed from the first instruction.
const WAIT_AND_BECOME: &str = r#"read -r _ && exec "$@""#;

/// A running function. It is killed when this value is dropped.
pub struct Running {
    name: String,
    child: Child,
    emulator: Emulator,
    log: std::fs::File,
    clock: Clock,
    started: Duration,
}

/// A cold start.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// From the start of the process to the first request for an event.
    pub init: Duration,
    /// From then to the first answer.
    pub first: Duration,
}

impl Running {
    /// Starts `program` within `share`, with its event waiting.
    ///
    /// # Errors
    /// If the program cannot be started.
    pub async fn start(
        program: &Program,
        environment: Vec<(String, String)>,
        share: Option<&Share>,
        clock: &Clock,
    ) -> anyhow::Result<Running> {
        let emulator = Emulator::start(clock).await?;
        emulator.offer(program.event).await?;
        let log = tempfile::tempfile().context("cannot create a log file")?;
        let mut command = match share {
            None => Command::new(&program.path),
            Some(_) => {
                let mut command = Command::new("/bin/sh");
                command.args(["-c", WAIT_AND_BECOME, "sh"]);
                command.arg(&program.path).stdin(Stdio::piped());
                command
            }
        };
        command
            .args(&program.arguments)
            .env_clear()
            .envs(environment)
            .envs(program.environment.iter().cloned())
            .env("AWS_LAMBDA_RUNTIME_API", emulator.address.to_string())
            .stdout(log.try_clone()?)
            .stderr(log.try_clone()?)
            .kill_on_drop(true);
        let mut started = clock.elapsed();
        let child = command.spawn();
        let mut child =
            child.with_context(|| format!("cannot start {}", program.path.display()))?;
        if let Some(share) = share {
            let id = child.id().context("the process has ended")?;
            share
                .take(id)
                .context("cannot put the process into the control group")?;
            let mut input = child.stdin.take().context("the process has no input")?;
            started = clock.elapsed();
            input.write_all(b"\n").await?;
        }
        Ok(Running {
            name: program.name.clone(),
            child,
            emulator,
            log,
            clock: clock.clone(),
            started,
        })
    }

    /// Waits for the first answer and the next request for an event.
    ///
    /// # Errors
    /// If the function does not answer or reports a failure. The message ends with the
    /// last lines of its log.
    pub async fn first_answer(&mut self) -> anyhow::Result<Start> {
        let Call::Asked(ready) = self.call().await? else {
            bail!("{} answered before it asked for an event", self.name);
        };
        let (_, answered) = self.answer().await?;
        self.waits().await?;
        Ok(Start {
            init: ready.saturating_sub(self.started),
            first: answered.saturating_sub(ready),
        })
    }

    /// Hands the function `event` and returns the time until its answer. Afterwards the
    /// function waits for the next event.
    ///
    /// # Errors
    /// As for [`Running::first_answer`].
    pub async fn invoke(&mut self, event: &'static str) -> anyhow::Result<Duration> {
        self.emulator.offer(event).await?;
        let (handed, answered) = self.answer().await?;
        self.waits().await?;
        Ok(answered.saturating_sub(handed))
    }

    /// Peak memory so far, in bytes.
    pub fn peak_bytes(&self) -> Option<u64> {
        Process(self.child.id()?).peak_bytes()
    }

    /// Kills the process.
    ///
    /// # Errors
    /// If the system refuses.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Waits until the function asks for an event.
    async fn waits(&mut self) -> anyhow::Result<()> {
        match self.call().await? {
            Call::Asked(_) => Ok(()),
            call => self.failed(&format!(
                "should have asked for an event, but called {call:?}"
            )),
        }
    }

    async fn answer(&mut self) -> anyhow::Result<(Duration, Duration)> {
        let Call::Handed(handed) = self.call().await? else {
            bail!("{} answered without an event", self.name);
        };
        match self.call().await? {
            Call::Answered { at, body } if is_success(&body) => Ok((handed, at)),
            Call::Answered { body, .. } => self.failed(&format!("answered {}", text(&body))),
            Call::Failed(body) => self.failed(&format!("failed: {}", text(&body))),
            call => self.failed(&format!("should have answered, but called {call:?}")),
        }
    }

    async fn call(&mut self) -> anyhow::Result<Call> {
        enum Next {
            Call(Call),
            Ended(ExitStatus),
            Late,
        }
        let next = tokio::select! {
            biased;
            call = self.emulator.call() => Next::Call(call?),
            status = self.child.wait() => Next::Ended(status?),
            () = self.clock.sleep(PATIENCE) => Next::Late,
        };
        match next {
            Next::Call(call) => Ok(call),
            Next::Ended(status) => self.failed(&format!("ended: {status}")),
            Next::Late => self.failed(&format!("made no call for {} s", PATIENCE.as_secs())),
        }
    }

    fn failed<T>(&mut self, what: &str) -> anyhow::Result<T> {
        let mut log = Vec::new();
        self.log.rewind()?;
        self.log.read_to_end(&mut log)?;
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
        bail!("{} {what}\n{}", self.name, last.join("\n"))
    }
}

/// An HTTP answer carries a status. A drain's answer has none; a drain that fails reports
/// an error instead of an answer.
fn is_success(body: &[u8]) -> bool {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    match answer.get("statusCode") {
        Some(status) => status.as_u64().is_some_and(|status| status < 400),
        None => answer.is_object(),
    }
}

fn text(body: &Bytes) -> String {
    String::from_utf8_lossy(body).chars().take(500).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_reports_a_failure_is_no_success() {
        assert!(is_success(br#"{"statusCode":202}"#));
        assert!(is_success(br#"{"claimed":0}"#));
        assert!(!is_success(br#"{"statusCode":503}"#));
        assert!(!is_success(b"null"));
    }
}
