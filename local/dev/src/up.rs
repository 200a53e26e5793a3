//! Starting everything.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use discord_local::{RateLimit, sample};
use shared::clock::Clock;
use shared::config::{DiscordConfig, Environment, RedisConfig};
use shared::redis::commands::Server as _;
use shared::redis::{self, Scope};
use tokio::net::TcpListener;
use upstash_local::{Durability, Store};

use crate::functions::{Functions, FunctionsConfig};
use crate::host::Host;
use crate::settings::Settings;

/// Where the endpoint and the sample server listen, if those ports are free.
pub(crate) const REDIS_PORT: u16 = 8079;
const DISCORD_PORT: u16 = 8078;

pub(crate) const REDIS_TOKEN: &str = "trawl-development-token";
const DISCORD_TOKEN: &str = "sample-bot-token";

/// How long a configured database may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Start everything, until Ctrl-C.
#[derive(Args, Clone, Debug)]
pub struct UpCommand {
    /// Where the routes are served.
    #[arg(long, default_value = "127.0.0.1:3000")]
    pub listen: SocketAddr,
    /// The address the database and the sample Discord server listen on. Containers
    /// reach those of Docker's bridge, mostly 172.17.0.1.
    #[arg(long, default_value = "127.0.0.1")]
    pub services: IpAddr,
    /// Where the embedded database is kept.
    #[arg(long, default_value = ".trawl")]
    pub data: PathBuf,
    /// Use the embedded database even if another is configured.
    #[arg(long)]
    pub embedded: bool,
}

/// A running system.
pub struct System {
    pub host: Host,
    pub redis: RedisConfig,
    pub discord: DiscordConfig,
    pub settings: Settings,
    endpoint: Option<upstash_local::Server>,
    sample: Option<discord_local::Server>,
}

/// `dev up`.
///
/// # Errors
/// What could not be started.
pub async fn up(command: UpCommand) -> anyhow::Result<()> {
    shared::telemetry::start_for_people();
    let system = System::start(&command, &Environment::process()).await?;
    system.introduce(&command);
    tokio::signal::ctrl_c().await?;
    println!("\nstopping");
    system.stop().await;
    Ok(())
}

impl System {
    /// # Errors
    /// What could not be started.
    pub async fn start(command: &UpCommand, env: &Environment<'_>) -> anyhow::Result<System> {
        let settings = Settings::read(env)?;
        let clock = Clock::system();
        let configured = settings.redis.clone().filter(|_| !command.embedded);
        let (redis, endpoint) = match configured {
            Some(config) => (reachable(config, &clock).await?, None),
            None => {
                let server = start_endpoint(&command.data, command.services).await?;
                let config = settings.local_redis(server.url(), server.token().to_owned());
                (config, Some(server))
            }
        };
        let (discord, sample) = match settings.discord.clone() {
            Some(config) => (config, None),
            None => {
                let server = start_sample(command.services).await?;
                (sample_config(&server, command.services), Some(server))
            }
        };
        let listener = TcpListener::bind(command.listen).await.with_context(|| {
            format!(
                "cannot listen on {}; choose another with --listen",
                command.listen
            )
        })?;
        let functions = Functions::new(
            &FunctionsConfig {
                redis: redis.clone(),
                cache: settings.cache.redis.clone(),
                auth: settings.auth.clone(),
                http: settings.http.clone(),
                queue: settings.queue.clone(),
                drain: settings.drain.clone(),
                discord: discord.clone(),
                command_budget: settings.metrics.command_budget,
                metrics: None,
                invoke_url: Some(format!("http://{}", listener.local_addr()?)),
            },
            &clock,
        )?;
        let host = Host::start(listener, functions, true)?;
        Ok(System {
            host,
            redis,
            discord,
            settings,
            endpoint,
            sample,
        })
    }

    /// Stops everything; what was acknowledged is on disk.
    pub async fn stop(self) {
        self.host.stop().await;
        if let Some(sample) = self.sample {
            sample.stop().await;
        }
        if let Some(endpoint) = self.endpoint {
            endpoint.stop().await;
        }
    }

    fn introduce(&self, command: &UpCommand) {
        let url = self.host.url();
        let key = self.settings.auth.api_key.value();
        let (guild, channel) = (sample::GUILD_ID, sample::CLIPS_ID);
        println!("Trawl runs. Ctrl-C stops it.\n");
        println!("  routes    {url}");
        match &self.endpoint {
            Some(_) => println!(
                "  database  {} (token {}), kept in {}",
                self.redis.url,
                self.redis.token.value(),
                command.data.display()
            ),
            None => println!("  database  {}", self.redis.url),
        }
        match &self.sample {
            Some(_) => println!("  Discord   {} (a sample guild)", self.discord.api_base),
            None => println!("  Discord   {}", self.discord.api_base),
        }
        println!(
            "  keys      {key} (api), {} (admin)",
            self.settings.auth.admin_key.value()
        );
        let (guild, channel) = match &self.sample {
            Some(_) => (guild.to_string(), channel.to_string()),
            None => ("GUILD".to_owned(), "CHANNEL".to_owned()),
        };
        println!("\nStart a scan:\n");
        println!("  curl -s {url}/api/jobs/scan -H 'Authorization: Bearer {key}' \\");
        println!(
            "    -H 'Content-Type: application/json' -d '{{\"guildId\":\"{guild}\",\"channelId\":\"{channel}\"}}'"
        );
        println!("\nFollow it (with the scanId it answered):\n");
        println!(
            "  curl -s '{url}/api/scans/stream/SCAN_ID?lastId=0' -H 'Authorization: Bearer {key}'"
        );
        println!("\nOr both at once:\n");
        println!("  cargo run -p dev -- scan --guild {guild} --channel {channel}\n");
    }
}

async fn reachable(config: RedisConfig, clock: &Clock) -> anyhow::Result<RedisConfig> {
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

async fn start_endpoint(data: &Path, ip: IpAddr) -> anyhow::Result<upstash_local::Server> {
    std::fs::create_dir_all(data).with_context(|| format!("cannot create {}", data.display()))?;
    let options = |listen: SocketAddr| upstash_local::Options {
        listen,
        tokens: vec![REDIS_TOKEN.to_owned()],
        store: Store::File {
            path: data.join("redis.db"),
            durability: Durability::Normal,
        },
        ..upstash_local::Options::default()
    };
    let started = upstash_local::Server::start(options(preferred(ip, REDIS_PORT))).await;
    started.with_context(|| format!("the database in {} cannot be opened", data.display()))
}

async fn start_sample(ip: IpAddr) -> anyhow::Result<discord_local::Server> {
    let options = discord_local::Options {
        listen: preferred(ip, DISCORD_PORT),
        token: DISCORD_TOKEN.into(),
        // Nobody is protected here by Discord's five pages in five seconds.
        rate_limit: RateLimit::off(),
        ..discord_local::Options::default()
    };
    discord_local::Server::start(options)
        .await
        .context("the sample Discord server cannot be started")
}

fn sample_config(server: &discord_local::Server, ip: IpAddr) -> DiscordConfig {
    DiscordConfig {
        token: DISCORD_TOKEN.into(),
        api_base: server.url(),
        cdn_hosts: vec![ip.to_string()],
        page_interval: Duration::from_millis(50),
    }
}

/// `port` if it is free, any other otherwise.
fn preferred(ip: IpAddr, port: u16) -> SocketAddr {
    let address = SocketAddr::new(ip, port);
    match std::net::TcpListener::bind(address) {
        Ok(_) => address,
        Err(_) => SocketAddr::new(ip, 0),
    }
}
