//! The engine behind the HTTP server: takes jobs, returns replies.
//!
//! There are two engines with the same two operations: the embedded one, and one that
//! forwards to a real server.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::embedded::{EngineThread, Message};
use crate::passthrough::PassThrough;
use crate::reply::Reply;

/// A command and its arguments.
pub type Command = Vec<Vec<u8>>;

/// The commands of one request.
#[derive(Debug, Clone)]
pub struct Job {
    /// The database of the token.
    pub db: usize,
    pub commands: Vec<Command>,
    /// Whether the commands form a transaction: rejected as a whole, or run without
    /// interleaving.
    pub atomic: bool,
}

/// The result of a job.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// One reply for each command.
    Ran(Vec<Reply>),
    /// A transaction that was rejected as a whole. Nothing has run.
    Discarded(String),
}

/// Why a job has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// It panicked or its file failed.
    #[error("the engine has stopped")]
    Stopped,
    /// The real server cannot be reached. Nothing has run.
    #[error("{0}")]
    Away(String),
    /// The real server did not reply after it got the request.
    #[error("{0} was lost; the command may or may not have run")]
    Lost(String),
}

pub enum Engine {
    Embedded(EngineThread),
    Redis(Arc<PassThrough>),
}

impl Engine {
    /// Runs a job. It is committed when this returns.
    ///
    /// # Errors
    ///
    /// Except after [`EngineError::Away`], the job may or may not have run.
    pub async fn run(&self, job: Job) -> Result<Answer, EngineError> {
        match self {
            Self::Embedded(thread) => {
                let (reply, answer) = oneshot::channel();
                thread.send(Message::Run(job, reply))?;
                answer.await.map_err(|_| EngineError::Stopped)
            }
            Self::Redis(server) => {
                let server = Arc::clone(server);
                // In a separate task, so that commands are billed even if the client
                // disconnects.
                let running = tokio::spawn(async move { server.run(job).await });
                running.await.map_err(|_| EngineError::Stopped)?
            }
        }
    }

    /// Finishes accepted jobs, compacts and releases the file.
    pub async fn stop(&self) -> Result<(), EngineError> {
        match self {
            Self::Embedded(thread) => {
                let (reply, stopped) = oneshot::channel();
                thread.send(Message::Stop(reply))?;
                stopped.await.map_err(|_| EngineError::Stopped)
            }
            // Accepted jobs are already answered; the connections close with the engine.
            Self::Redis(_) => Ok(()),
        }
    }
}
