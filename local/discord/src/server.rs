//! The running server.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock, atomic::AtomicBool, atomic::Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::{
    api,
    connection::{Connections, Cutter},
    faults::Faults,
    guard::Guard,
    guild::{Guild, MessageSpec},
    rate_limit::{Buckets, RateLimit},
    requests::{RequestSeen, Requests},
    sample,
    signing::Signer,
    state::State,
};

/// How to start a server.
pub struct Options {
    /// Address to listen on. Defaults to a free port on 127.0.0.1.
    pub listen: SocketAddr,
    /// Host names to accept besides those of loopback and the listen address. Requests
    /// with any other host name are refused.
    pub host_names: Vec<String>,
    /// The only accepted bot token. Defaults to `sample-bot-token`.
    pub token: String,
    /// The guild to serve. Defaults to the sample guild.
    pub guild: Guild,
    /// Returns the time in Unix milliseconds, for rate limit windows and URL expiry.
    /// Defaults to the system clock.
    pub now_ms: Arc<dyn Fn() -> i64 + Send + Sync>,
    /// Defaults to Discord's 5 listings per channel in 5 s.
    pub rate_limit: RateLimit,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            host_names: Vec::new(),
            token: "sample-bot-token".to_owned(),
            guild: sample::guild(sample::DEFAULT_SEED),
            now_ms: Arc::new(system_now_ms),
            rate_limit: RateLimit::default(),
        }
    }
}

fn system_now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as i64)
}

/// A running server. It stops when it is stopped or dropped.
pub struct Server {
    addr: SocketAddr,
    state: Arc<State>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    /// Binds the address and starts serving.
    ///
    /// # Errors
    /// If the address cannot be bound.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let addr = listener.local_addr()?;
        let state = Arc::new(State {
            guard: Guard::new(options.listen.ip(), &options.host_names),
            token: RwLock::new(options.token),
            faults: Faults::default(),
            requests: Requests::default(),
            buckets: Buckets::new(options.rate_limit),
            signer: Signer {
                base: format!("http://{addr}"),
            },
            has_content_intent: AtomicBool::new(true),
            clock: options.now_ms,
            guild: RwLock::new(Arc::new(options.guild)),
        });

        let (stop, stopped) = oneshot::channel();
        let routes = api::router(Arc::clone(&state));
        let cutter = Cutter::default();
        let connections = Connections {
            listener,
            cutter: cutter.clone(),
        };
        let task = tokio::spawn(async move {
            tokio::select! {
                () = connections.serve(routes) => {}
                // Dropping the handle of the server ends it as well.
                _ = stopped => {}
            }
            cutter.cut();
        });
        Ok(Self {
            addr,
            state,
            stop,
            task,
        })
    }

    /// The base URL of the API, `http://127.0.0.1:PORT/api/v10`.
    pub fn url(&self) -> String {
        format!("http://{}/api/v10", self.addr)
    }

    /// The base URL of the CDN, to which `/attachments` is appended.
    pub fn cdn_url(&self) -> String {
        self.state.signer.base.clone()
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub fn faults(&self) -> &Faults {
        &self.state.faults
    }

    /// A snapshot of the guild. Later changes do not appear in it.
    pub fn guild(&self) -> Arc<Guild> {
        self.state.guild()
    }

    /// Deletes a message and its files. Returns false if there is no such message.
    pub fn delete_message(&self, channel_id: u64, message_id: u64) -> bool {
        self.state
            .change(|guild| guild.delete_message(channel_id, message_id))
    }

    /// Adds a message. Unless it sets a time, it is the newest and dated now. Returns
    /// `None` if there is no such channel.
    pub fn add_message(&self, channel_id: u64, spec: MessageSpec) -> Option<u64> {
        self.state.add_message(channel_id, spec)
    }

    /// Changes the guild in any other way, for example to add a channel.
    pub fn change_guild<T>(&self, change: impl FnOnce(&mut Guild) -> T) -> T {
        self.state.change(change)
    }

    /// Grants or removes the MESSAGE_CONTENT intent. Without it, the application does not
    /// have the flag and every message of other users is empty.
    pub fn set_message_content_intent(&self, granted: bool) {
        self.state
            .has_content_intent
            .store(granted, Ordering::Relaxed);
    }

    /// Resets the bot token: from now on only this one is accepted.
    pub fn set_token(&self, token: &str) {
        let mut current = self
            .state
            .token
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *current = token.to_owned();
    }

    /// The requests to the API and the CDN so far, in order of arrival.
    pub fn requests(&self) -> Vec<RequestSeen> {
        self.state.requests.all()
    }

    pub fn clear_requests(&self) {
        self.state.requests.clear();
    }

    /// Frees the port. Open connections get no more answers.
    pub async fn stop(self) {
        // Fails only if the task has already ended, which is what is wanted.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}
