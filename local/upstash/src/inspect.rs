//! Commands on the embedded engine of a running server, without HTTP and without a
//! runtime: for a test that looks at what it leaves when it ends.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::direct::{DirectReply, to_direct};
use crate::embedded::Message;
use crate::engine::{Answer, Engine, Job};
use crate::rest::Rest;
use crate::server::Server;

/// Asks the engine of one server. Requests it sends meet no faults.
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
    /// Runs one command in the first database and waits for its reply. `None` if the engine
    /// has stopped, or is a real server.
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
        // The engine has a thread of its own. The caller's may belong to a runtime, which
        // must not be blocked by its own means.
        let waiting = std::thread::spawn(move || answer.blocking_recv());
        match waiting.join().ok()?.ok()? {
            Answer::Ran(replies) => replies.into_iter().next().map(to_direct),
            Answer::Discarded(text) => Some(DirectReply::Error(text)),
        }
    }
}
