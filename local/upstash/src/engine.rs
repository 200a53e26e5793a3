//! What stands behind the HTTP front: jobs in, replies out.
//!
//! There are two engines with the same two operations: the embedded one, and the one
//! in front of a real server.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::embedded::{EngineThread, Message};
use crate::passthrough::PassThrough;
use crate::reply::Reply;

/// A command and its arguments.
pub type Command = Vec<Vec<u8>>;

/// Commands that arrived in one request.
#[derive(Debug, Clone)]
pub struct Job {
    /// The database of the token.
    pub db: usize,
    pub commands: Vec<Command>,
    /// All or nothing when refused, and nothing in between when run.
    pub atomic: bool,
}

/// What became of a job.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// One reply for each command.
    Ran(Vec<Reply>),
    /// A transaction that was refused whole; nothing has run.
    Discarded(String),
}

/// Why a job has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// It panicked or its file failed.
    #[error("the engine has stopped")]
    Stopped,
    /// The real server cannot be asked. Nothing has run.
    #[error("{0}")]
    Away(String),
    /// The real server was asked and has not answered.
    #[error("{0} was lost: whether the command ran is unknown")]
    Lost(String),
}

pub enum Engine {
    Embedded(EngineThread),
    Redis(Arc<PassThrough>),
}

impl Engine {
    /// Runs a job; it is committed when this returns.
    ///
    /// # Errors
    ///
    /// Except for [`EngineError::Away`], nobody can tell whether it ran.
    pub async fn run(&self, job: Job) -> Result<Answer, EngineError> {
        match self {
            Self::Embedded(thread) => {
                let (reply, answer) = oneshot::channel();
                thread.send(Message::Run(job, reply))?;
                answer.await.map_err(|_| EngineError::Stopped)
            }
            Self::Redis(server) => {
                let server = Arc::clone(server);
                // On its own: what ran is billed even if the client has left.
                let running = tokio::spawn(async move { server.run(job).await });
                running.await.map_err(|_| EngineError::Stopped)?
            }
        }
    }

    /// Finishes what was accepted, compacts, and lets go of the file.
    pub async fn stop(&self) -> Result<(), EngineError> {
        match self {
            Self::Embedded(thread) => {
                let (reply, stopped) = oneshot::channel();
                thread.send(Message::Stop(reply))?;
                stopped.await.map_err(|_| EngineError::Stopped)
            }
            // What was accepted is answered; the connections close with the engine.
            Self::Redis(_) => Ok(()),
        }
    }
}
