//! What stands in for the cloud: the database and the sample Discord server.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use discord_local::RateLimit;
use shared::clock::Clock;
use shared::config::{DiscordConfig, RedisConfig};
use shared::redis::commands::Server as _;
use shared::redis::{self, Scope};
use upstash_local::{Durability, StartError, Store};

/// Where the endpoint and the sample server listen, if those ports are free.
pub(crate) const REDIS_PORT: u16 = 8079;
const DISCORD_PORT: u16 = 8078;

/// Opens a guild of samples, and nothing else.
const DISCORD_TOKEN: &str = "sample-bot-token";

/// Between two pages of the sample server, unless told otherwise.
const PAGE_INTERVAL: Duration = Duration::from_millis(50);

/// How long a configured database may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What containers call this machine. The name is theirs alone: no such domain can be
/// registered, so no page can come from it.
const IN_CONTAINERS: &str = "host.docker.internal";

/// Where the services listen and what they may be called.
pub(crate) struct Place {
    pub ip: IpAddr,
    pub names: Vec<String>,
}

impl Place {
    pub fn new(ip: IpAddr, names: &[String]) -> Place {
        let in_containers = (!ip.is_loopback()).then(|| IN_CONTAINERS.to_owned());
        Place {
            ip,
            names: names.iter().cloned().chain(in_containers).collect(),
        }
    }

    fn at(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.ip, port)
    }
}

/// A configured database, once it has answered.
pub(crate) async fn reachable(config: RedisConfig, clock: &Clock) -> anyhow::Result<RedisConfig> {
    let client = redis::connect(&config, clock)?.scoped(Scope {
        deadline: Some(clock.deadline(PATIENCE)),
        sync_token: None,
    });
    if let Err(error) = client.ping().await {
        bail!(
            "the database at {} does not answer: {}\n\
             Check UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN, \
             or start with --embedded to use the built-in database.",
            config.url,
            shared::telemetry::chain(&error)
        );
    }
    Ok(config)
}

/// The database kept in `data`.
pub(crate) async fn start_endpoint(
    data: &Path,
    place: &Place,
    token: String,
) -> anyhow::Result<upstash_local::Server> {
    let options = |port| upstash_local::Options {
        listen: place.at(port),
        tokens: vec![token.clone()],
        store: Store::File {
            path: data.join("redis.db"),
            durability: Durability::Normal,
        },
        host_names: place.names.clone(),
        ..upstash_local::Options::default()
    };
    let started = match upstash_local::Server::start(options(REDIS_PORT)).await {
        // Somebody has the usual port.
        Err(StartError::Listen { .. }) => upstash_local::Server::start(options(0)).await,
        started => started,
    };
    started.with_context(|| format!("the database in {} cannot be opened", data.display()))
}

/// The sample Discord server, and how it is spoken to.
pub(crate) async fn start_sample(
    place: &Place,
    page_interval: Option<Duration>,
) -> anyhow::Result<(discord_local::Server, DiscordConfig)> {
    let options = |port| discord_local::Options {
        listen: place.at(port),
        host_names: place.names.clone(),
        token: DISCORD_TOKEN.into(),
        // Nobody is protected here by Discord's five pages in five seconds.
        rate_limit: RateLimit::off(),
        ..discord_local::Options::default()
    };
    let server = match discord_local::Server::start(options(DISCORD_PORT)).await {
        Err(_) => discord_local::Server::start(options(0)).await,
        started => started,
    };
    let server = server.context("the sample Discord server cannot be started")?;
    let config = DiscordConfig {
        token: DISCORD_TOKEN.into(),
        api_base: server.url(),
        page_interval: page_interval.unwrap_or(PAGE_INTERVAL),
    };
    Ok((server, config))
}
