//! Runs commands on the embedded engine of a running server, without HTTP and without an
//! async runtime. Tests use it on exit to look at what is left.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::direct::{DirectReply, to_direct};
use crate::embedded::Message;
use crate::engine::{Answer, Engine, Job};
use crate::rest::Rest;
use crate::server::Server;

/// A handle to the engine of one server. Faults do not affect its commands.
pub struct Inspector {
    rest: Arc<Rest>,
}

impl Server {
    /// A handle that outlives the server's listener.
    pub fn inspector(&self) -> Inspector {
        Inspector {
            rest: Arc::clone(&self.rest),
        }
    }
}

impl Inspector {
    /// Runs one command in the first database and waits for the reply. Returns `None` if
    /// the engine has stopped or is a real server.
    pub fn call(&self, args: &[&str]) -> Option<DirectReply> {
        let Engine::Embedded(thread) = &self.rest.engine else {
            return None;
        };
        let (reply, answer) = oneshot::channel();
        let job = Job {
            db: 0,
            commands: vec![args.iter().map(|arg| arg.as_bytes().to_vec()).collect()],
            atomic: false,
        };
        thread.send(Message::Run(job, reply)).ok()?;
        // The engine has its own thread. The caller may be inside an async runtime, where
        // a blocking wait would panic.
        let waiting = std::thread::spawn(move || answer.blocking_recv());
        match waiting.join().ok()?.ok()? {
            Answer::Ran(replies) => replies.into_iter().next().map(to_direct),
            Answer::Discarded(text) => Some(DirectReply::Error(text)),
        }
    }
}
