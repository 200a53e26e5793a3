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

/// How a server is started.
pub struct Options {
    /// Where to listen. Defaults to a free port on 127.0.0.1.
    pub listen: SocketAddr,
    /// Names the server may be called by, besides those of the loopback address and the
    /// address it listens on. A request for any other is refused.
    pub host_names: Vec<String>,
    /// The one bot token accepted. Defaults to `sample-bot-token`.
    pub token: String,
    /// What there is to see. Defaults to the sample guild.
    pub guild: Guild,
    /// The time in Unix milliseconds, which windows of the rate limit and
    /// expiry of addresses go by. Defaults to the system's.
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

/// A server that runs until it is stopped or dropped.
pub struct Server {
    addr: SocketAddr,
    state: Arc<State>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    /// Binds and begins to answer.
    ///
    /// # Errors
    /// When the address cannot be bound.
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
                // Dropping the server's handle ends it as well.
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

    /// The base of the API, `http://127.0.0.1:PORT/api/v10`.
    pub fn url(&self) -> String {
        format!("http://{}/api/v10", self.addr)
    }

    /// The base of the CDN, before `/attachments`.
    pub fn cdn_url(&self) -> String {
        self.state.signer.base.clone()
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub fn faults(&self) -> &Faults {
        &self.state.faults
    }

    /// The guild as it is now; later changes do not show in it.
    pub fn guild(&self) -> Arc<Guild> {
        self.state.guild()
    }

    /// Deletes a message and its files. False if there was none.
    pub fn delete_message(&self, channel_id: u64, message_id: u64) -> bool {
        self.state
            .change(|guild| guild.delete_message(channel_id, message_id))
    }

    /// Adds a message, as the newest and now unless it says when. `None` if
    /// there is no such channel.
    pub fn add_message(&self, channel_id: u64, spec: MessageSpec) -> Option<u64> {
        self.state.add_message(channel_id, spec)
    }

    /// Changes the guild in any other way, for instance to add a channel.
    pub fn change_guild<T>(&self, change: impl FnOnce(&mut Guild) -> T) -> T {
        self.state.change(change)
    }

    /// Grants or takes the MESSAGE_CONTENT intent: without it the application
    /// lacks the flag and every message of others is empty.
    pub fn set_message_content_intent(&self, granted: bool) {
        self.state
            .has_content_intent
            .store(granted, Ordering::Relaxed);
    }

    /// Resets the bot's token: this one is accepted from now on, and no other.
    pub fn set_token(&self, token: &str) {
        let mut current = self
            .state
            .token
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *current = token.to_owned();
    }

    /// The requests to API and CDN so far, in order of arrival.
    pub fn requests(&self) -> Vec<RequestSeen> {
        self.state.requests.all()
    }

    pub fn clear_requests(&self) {
        self.state.requests.clear();
    }

    /// Frees the port. Connections already open answer nothing more.
    pub async fn stop(self) {
        // Both fail only if the task has ended already, which is the aim.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}
