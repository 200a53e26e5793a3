//! Starts and stops the server, and defines its options.

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

/// Where the data is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Store {
    /// Lost when the server stops.
    Memory,
    /// In a database file, which only one server can open at a time.
    File {
        path: PathBuf,
        durability: Durability,
    },
    /// In a real Redis or Valkey. Each token uses its own database there, starting with
    /// the one in the address. The time is that of the server.
    Redis { url: RedisUrl },
}

/// How to start a server.
#[derive(Debug, Clone)]
pub struct Options {
    /// Address to listen on. Defaults to a free port on loopback.
    pub listen: SocketAddr,
    /// Access tokens. Each opens its own database. Without any, a token is generated and,
    /// with [`Store::File`], kept in the file.
    pub tokens: Vec<String>,
    /// Defaults to [`Store::Memory`].
    pub store: Store,
    /// Defaults to the system clock, which [`Store::Redis`] always uses.
    pub clock: Clock,
    /// Seed for SPOP and similar commands, never for secrets. Defaults to 0.
    pub seed: u64,
    /// Host names to accept besides those of loopback and the listen address. Requests
    /// with any other host name are refused.
    pub host_names: Vec<String>,
    /// Address of the control API. Defaults to none.
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
    #[error("the control API must listen on a loopback address, not on {0}")]
    ControlNotLocal(SocketAddr),
    #[error("cannot open the store")]
    Store(#[from] DiskError),
    #[error("cannot start the engine: {0}")]
    Engine(String),
    #[error("cannot get random bytes from the system")]
    Random(#[from] getrandom::Error),
    #[error("{0}")]
    Redis(String),
}

/// A running endpoint. If it is dropped without [`Server::stop`], it stops on its own
/// soon after.
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
    /// If the address is in use, another process has the file open, or the file is
    /// damaged.
    pub async fn start(mut options: Options) -> Result<Self, StartError> {
        if let Some(address) = options.control
            && !address.ip().is_loopback()
        {
            return Err(StartError::ControlNotLocal(address));
        }
        // Bind before opening the store, so that a failure leaves no file behind.
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

    /// The URL of the control API, if it is enabled.
    pub fn control_url(&self) -> Option<String> {
        self.control.map(|address| format!("http://{address}"))
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Billed commands since the start or the last reset.
    pub fn meter(&self) -> MeterSnapshot {
        self.rest.meter.snapshot()
    }

    pub fn reset_meter(&self) {
        self.rest.meter.reset();
    }

    pub fn faults(&self) -> &Faults {
        &self.rest.faults
    }

    /// Waits for the engine to fail and returns the reason. Otherwise it never returns.
    pub async fn failed(&self) -> String {
        let Engine::Embedded(thread) = &self.rest.engine else {
            // A real server that is unavailable may come back.
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

    /// Stops listening, finishes accepted requests, compacts and releases the file.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        for task in self.tasks {
            let _ = task.await;
        }
        if self.rest.engine.stop().await.is_err() {
            tracing::warn!("the engine had already stopped");
        }
    }
}

/// A listener and its actual address.
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

/// The tokens and the databases they give access to.
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
