//! The embedded engine: one thread that owns the values, the scripts and the file.
//!
//! It takes up to [`MAX_BATCH`] waiting jobs, runs them one after the other, commits
//! once, and only then sends the replies.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use crate::engine::{Answer, EngineError, Job};
use crate::executor::Executor;
use crate::store::disk::{Disk, DiskError};

/// Maximum number of jobs per commit.
const MAX_BATCH: usize = 512;
/// How often expired keys are removed while no commands arrive.
const IDLE_TICK: Duration = Duration::from_secs(1);

/// Stack size of the thread. Scripts can nest values deeply, and each level uses stack
/// space to encode and decode, especially in a debug build. Only the part that is used
/// takes memory.
const STACK_BYTES: usize = 256 * 1024 * 1024;

pub enum Message {
    Run(Job, oneshot::Sender<Answer>),
    Stop(oneshot::Sender<()>),
}

/// A handle to the engine thread.
pub struct EngineThread {
    jobs: Sender<Message>,
    failure: watch::Receiver<Option<Arc<str>>>,
}

impl EngineThread {
    /// Starts the thread. `make` runs on it, because scripts cannot move between threads.
    pub fn start(
        disk: Option<Disk>,
        make: impl FnOnce(bool) -> Result<Executor, mlua::Error> + Send + 'static,
    ) -> (Self, oneshot::Receiver<Result<(), String>>) {
        let (jobs, inbox) = channel();
        let (failed, failure) = watch::channel(None);
        let (ready, started) = oneshot::channel();
        let run = move || {
            let result = catch_unwind(AssertUnwindSafe(|| {
                let engine = make(disk.is_some())
                    .map_err(|error| error.to_string())
                    .and_then(|executor| Worker::load(executor, disk).map_err(describe));
                match engine {
                    Ok(mut worker) => {
                        let _ = ready.send(Ok(()));
                        worker.serve(&inbox).map_err(describe)
                    }
                    Err(error) => {
                        let _ = ready.send(Err(error.clone()));
                        Err(error)
                    }
                }
            }));
            let reason = match result {
                Ok(Ok(())) => return,
                Ok(Err(error)) => error,
                Err(_) => "the engine thread panicked".to_owned(),
            };
            tracing::error!(reason, "the engine has stopped");
            let _ = failed.send(Some(reason.into()));
        };
        let thread = std::thread::Builder::new().name("engine".to_owned());
        if let Err(error) = thread.stack_size(STACK_BYTES).spawn(run) {
            // Whoever waits for the start notices, because the channel is dropped.
            tracing::error!(%error, "cannot start the engine thread");
        }
        (Self { jobs, failure }, started)
    }

    pub fn send(&self, message: Message) -> Result<(), EngineError> {
        self.jobs.send(message).map_err(|_| EngineError::Stopped)
    }

    /// Holds the reason once the engine has failed.
    pub fn failure(&self) -> watch::Receiver<Option<Arc<str>>> {
        self.failure.clone()
    }
}

fn describe(error: DiskError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

struct Worker {
    executor: Executor,
    disk: Option<Disk>,
}

impl Worker {
    fn load(executor: Executor, disk: Option<Disk>) -> Result<Self, DiskError> {
        if let Some(disk) = &disk {
            let mut state = executor.state();
            let mut replayed = Vec::new();
            disk.load(
                |db, key, entry| state.restore(db, key, entry),
                |row, args| replayed.push((row, args)),
            )?;
            // Loading is not a change: only what the log adds needs a snapshot.
            state.forget_changes();
            for (row, args) in replayed {
                state.replay(&row, &args);
            }
        }
        Ok(Self { executor, disk })
    }

    /// Returns when it is told to stop or when all senders are dropped.
    fn serve(&mut self, inbox: &Receiver<Message>) -> Result<(), DiskError> {
        loop {
            let first = match inbox.recv_timeout(IDLE_TICK) {
                Ok(message) => message,
                Err(RecvTimeoutError::Timeout) => {
                    self.executor.state().remove_all_due();
                    self.commit()?;
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return self.close(),
            };
            let mut answers = Vec::new();
            let mut stopping = None;
            let rest = std::iter::from_fn(|| inbox.try_recv().ok());
            for message in std::iter::once(first).chain(rest.take(MAX_BATCH - 1)) {
                match message {
                    Message::Run(job, reply) => {
                        answers.push((reply, self.executor.run(job)));
                    }
                    Message::Stop(reply) => stopping = Some(reply),
                }
            }
            self.commit()?;
            for (reply, answer) in answers {
                let _ = reply.send(answer);
            }
            if let Some(reply) = stopping {
                self.close()?;
                let _ = reply.send(());
                return Ok(());
            }
        }
    }

    fn commit(&mut self) -> Result<(), DiskError> {
        let Some(disk) = &mut self.disk else {
            return Ok(());
        };
        let rows = self.executor.state().take_log();
        if !rows.is_empty() {
            disk.commit(&rows)?;
        }
        if disk.wants_compaction() {
            disk.compact(self.executor.state().databases_mut())?;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), DiskError> {
        self.commit()?;
        if let Some(mut disk) = self.disk.take() {
            disk.compact(self.executor.state().databases_mut())?;
        }
        Ok(())
    }
}
