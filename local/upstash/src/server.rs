//! Putting it together: options, start, stop.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::control::Control;
use crate::embedded::EngineThread;
use crate::engine::Engine;
use crate::executor::{Executor, State};
use crate::faults::Faults;
use crate::guard::Guard;
use crate::limits::Limits;
use crate::listener::listen;
use crate::meter::{Meter, MeterSnapshot};
use crate::passthrough::{PassThrough, RedisUrl};
use crate::rest::{Access, Rest, SyncToken};
use crate::secret::random_secret;
use crate::store::disk::{Disk, DiskError, Durability};

/// Where the data is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Store {
    /// Gone when the server stops.
    Memory,
    /// In a database file, which one server at a time can have.
    File {
        path: PathBuf,
        durability: Durability,
    },
    /// With a real Redis or Valkey. Each token has a database of its own there, beginning
    /// with that of the address; the time is the server's.
    Redis { url: RedisUrl },
}

/// How to start a server.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen. Defaults to a free port of the loopback address.
    pub listen: SocketAddr,
    /// Each token opens a database of its own. Without any, one is made, and kept in
    /// the file if there is one.
    pub tokens: Vec<String>,
    /// Defaults to [`Store::Memory`].
    pub store: Store,
    /// Defaults to the system's clock, which is also taken with [`Store::Redis`].
    pub clock: Clock,
    /// For SPOP and its like; no secret comes from it. Defaults to 0.
    pub seed: u64,
    /// Names the server may be called by, besides those of the loopback address and the
    /// address it listens on. A request for any other is refused.
    pub host_names: Vec<String>,
    /// Where the meter, the faults and the clock are served. Defaults to nowhere.
    pub control: Option<SocketAddr>,
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tokens: Vec::new(),
            store: Store::Memory,
            clock: Clock::system(),
            seed: 0,
            host_names: Vec::new(),
            control: None,
            limits: Limits::default(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on {address}")]
    Listen {
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    #[error("the control listener belongs on the loopback address, not on {0}")]
    ControlNotLocal(SocketAddr),
    #[error("the store cannot be opened")]
    Store(#[from] DiskError),
    #[error("the engine did not start: {0}")]
    Engine(String),
    #[error("the system has no randomness to give")]
    Random(#[from] getrandom::Error),
    #[error("{0}")]
    Redis(String),
}

/// A running endpoint. Dropped without [`Server::stop`], it ends by itself soon after.
pub struct Server {
    address: SocketAddr,
    control: Option<SocketAddr>,
    clock: Clock,
    pub(crate) rest: Arc<Rest>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Server {
    /// Opens the store and starts to listen.
    ///
    /// # Errors
    ///
    /// When the address is taken, when another process has the file, or when the file
    /// does not read back.
    pub async fn start(mut options: Options) -> Result<Self, StartError> {
        if let Some(address) = options.control
            && !address.ip().is_loopback()
        {
            return Err(StartError::ControlNotLocal(address));
        }
        // Before a file is made that would stay behind.
        let (listener, address) = bind(options.listen).await?;
        let control = match options.control {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        let disk = match &options.store {
            Store::Memory => None,
            Store::Redis { .. } => {
                options.clock = Clock::system();
                None
            }
            Store::File { path, durability } => Some(Disk::open(path, *durability)?),
        };
        let access = grant(&options, disk.as_ref())?;
        let limits = Arc::new(options.limits);
        let meter = Arc::new(Meter::default());
        let engine = match options.store {
            Store::Redis { url } => {
                let (limits, meter) = (Arc::clone(&limits), Arc::clone(&meter));
                PassThrough::start(url, access.len(), limits, meter)
                    .await
                    .map(|engine| Engine::Redis(Arc::new(engine)))
                    .map_err(|error| StartError::Redis(error.to_string()))?
            }
            _ => start_embedded(disk, options.seed, &options.clock, &limits, &meter).await?,
        };
        let rest = Arc::new(Rest {
            guard: Guard::new(options.listen.ip(), &options.host_names),
            engine,
            access,
            limits,
            meter,
            faults: Arc::default(),
            sync: SyncToken::new(getrandom::u64()?),
        });
        let (stop, stopped) = watch::channel(false);
        let handler = Arc::clone(&rest);
        let serve = move |request| {
            let rest = Arc::clone(&handler);
            async move { rest.handle(request).await }
        };
        let mut server = Self {
            address,
            control: None,
            clock: options.clock,
            rest,
            stop,
            tasks: vec![listen(listener, stopped.clone(), serve)],
        };
        if let Some((listener, address)) = control {
            server.start_control(listener, address, &options.host_names, stopped);
        }
        Ok(server)
    }

    fn start_control(
        &mut self,
        listener: TcpListener,
        address: SocketAddr,
        host_names: &[String],
        stopped: watch::Receiver<bool>,
    ) {
        let control = Arc::new(Control {
            guard: Guard::new(address.ip(), host_names),
            meter: Arc::clone(&self.rest.meter),
            faults: Arc::clone(&self.rest.faults),
            clock: self.clock.clone(),
        });
        let serve = move |request| {
            let control = Arc::clone(&control);
            async move { control.handle(request).await }
        };
        self.control = Some(address);
        self.tasks.push(listen(listener, stopped, serve));
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The first token.
    pub fn token(&self) -> &str {
        self.rest.access.first().map_or("", |access| &access.token)
    }

    /// Where the control listener is, if there is one.
    pub fn control_url(&self) -> Option<String> {
        self.control.map(|address| format!("http://{address}"))
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// What was billed since the start or the last reset.
    pub fn meter(&self) -> MeterSnapshot {
        self.rest.meter.snapshot()
    }

    pub fn reset_meter(&self) {
        self.rest.meter.reset();
    }

    pub fn faults(&self) -> &Faults {
        &self.rest.faults
    }

    /// Waits until the engine has failed, and says why. Never returns otherwise.
    pub async fn failed(&self) -> String {
        let Engine::Embedded(thread) = &self.rest.engine else {
            // A real server that is away may come back.
            return std::future::pending().await;
        };
        let mut failure = thread.failure();
        let reason = match failure.wait_for(Option::is_some).await {
            Ok(reason) => reason.as_deref().map(str::to_owned),
            Err(_) => None,
        };
        match reason {
            Some(reason) => reason,
            None => std::future::pending().await,
        }
    }

    /// Stops listening, finishes what was accepted, compacts and lets go of the file.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        for task in self.tasks {
            let _ = task.await;
        }
        if self.rest.engine.stop().await.is_err() {
            tracing::warn!("the engine had stopped before it was told to");
        }
    }
}

/// A listener and the address it has got.
async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let bound = async {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    bound
        .await
        .map_err(|source| StartError::Listen { address, source })
}

/// The tokens and the databases they open.
fn grant(options: &Options, disk: Option<&Disk>) -> Result<Vec<Access>, StartError> {
    let mut tokens = options.tokens.clone();
    if tokens.is_empty() {
        let kept = disk.map(|disk| disk.meta("token")).transpose()?.flatten();
        let token = match kept {
            Some(token) => token,
            None => {
                let token = random_secret()?;
                if let Some(disk) = disk {
                    disk.set_meta("token", &token)?;
                }
                token
            }
        };
        tokens.push(token);
    }
    let numbered = tokens.into_iter().enumerate();
    numbered
        .map(|(index, token)| {
            let db = match disk {
                Some(disk) => disk.database_of(&token)?,
                None => index,
            };
            Ok(Access { token, db })
        })
        .collect()
}

async fn start_embedded(
    disk: Option<Disk>,
    seed: u64,
    clock: &Clock,
    limits: &Arc<Limits>,
    meter: &Arc<Meter>,
) -> Result<Engine, StartError> {
    let (clock, limits, meter) = (clock.clone(), Arc::clone(limits), Arc::clone(meter));
    let (thread, started) = EngineThread::start(disk, move |persists| {
        Executor::new(State::new(persists, seed, clock, limits, meter))
    });
    match started.await {
        Ok(Ok(())) => Ok(Engine::Embedded(thread)),
        Ok(Err(reason)) => Err(StartError::Engine(reason)),
        Err(_) => Err(StartError::Engine("its thread panicked".into())),
    }
}
