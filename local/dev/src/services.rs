//! Local replacements for the cloud services: the database and the sample Discord server.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use discord_local::RateLimit;
use shared::clock::Clock;
use shared::config::{DiscordConfig, RedisConfig};
use shared::outbound::Hosts;
use shared::redis::commands::Server as _;
use shared::redis::{self, Scope};
use upstash_local::{Durability, StartError, Store};

/// Preferred ports of the endpoint and the sample server. If taken, any free port is
/// used.
pub(crate) const REDIS_PORT: u16 = 8079;
const DISCORD_PORT: u16 = 8078;

/// Gives access to the sample guild only.
const DISCORD_TOKEN: &str = "sample-bot-token";

/// Default delay between two pages of the sample server.
const PAGE_INTERVAL: Duration = Duration::from_millis(50);

/// How long a configured database may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The name by which containers reach this machine. No such domain can be registered, so
/// no web page can be served from it.
const IN_CONTAINERS: &str = "host.docker.internal";

/// Where the services listen and which host names they accept.
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

/// Returns the configuration of a database after checking that it answers.
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

/// Starts the database that is kept in `data`.
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
        // The preferred port is taken.
        Err(StartError::Listen { .. }) => upstash_local::Server::start(options(0)).await,
        started => started,
    };
    started.with_context(|| format!("cannot open the database in {}", data.display()))
}

/// Starts the sample Discord server and returns the settings to reach it.
pub(crate) async fn start_sample(
    place: &Place,
    page_interval: Option<Duration>,
) -> anyhow::Result<(discord_local::Server, DiscordConfig)> {
    let options = |port| discord_local::Options {
        listen: place.at(port),
        host_names: place.names.clone(),
        token: DISCORD_TOKEN.into(),
        // Discord's limit of five pages in five seconds would only slow local scans down.
        rate_limit: RateLimit::off(),
        ..discord_local::Options::default()
    };
    let server = match discord_local::Server::start(options(DISCORD_PORT)).await {
        Err(_) => discord_local::Server::start(options(0)).await,
        started => started,
    };
    let server = server.context("cannot start the sample Discord server")?;
    let config = DiscordConfig {
        token: DISCORD_TOKEN.into(),
        api_base: server.url(),
        page_interval: page_interval.unwrap_or(PAGE_INTERVAL),
        cdn_hosts: Hosts::listed(&server.addr().to_string()),
        probe_time: Duration::from_secs(10),
    };
    Ok((server, config))
}
