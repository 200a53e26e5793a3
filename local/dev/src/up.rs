//! Starts the whole system.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use clap::Args;
use discord_local::sample;
use shared::clock::Clock;
use shared::config::{AuthConfig, DiscordConfig, Environment, RedisConfig};
use tokio::net::TcpListener;
use upstash_local::Listen;

use crate::defaults::{DATA, LISTEN};
use crate::first_scan::first_scan;
use crate::functions::{Functions, FunctionsConfig};
use crate::host::Host;
use crate::keys::Keys;
use crate::say::say;
use crate::services::{Place, reachable, start_endpoint, start_sample};
use crate::settings::Settings;
use crate::signals::Signals;

/// Start the whole system and run it until Ctrl-C.
#[derive(Args, Clone, Debug)]
pub struct UpCommand {
    /// Address to serve the API on: a port, ADDRESS:PORT or NAME:PORT.
    #[arg(long, value_name = "ADDRESS", default_value = LISTEN)]
    pub listen: Listen,
    /// IP address for the database and the sample Discord server. To reach them from
    /// containers, use the address of Docker's bridge, usually 172.17.0.1.
    #[arg(long, value_name = "IP", default_value = "127.0.0.1", value_parser = address)]
    pub services: IpAddr,
    /// Extra host name to accept in requests, besides localhost and the addresses above.
    /// May be repeated.
    #[arg(long = "host-name", value_name = "NAME")]
    pub host_names: Vec<String>,
    /// Folder for the embedded database and the generated keys.
    #[arg(long, value_name = "DIR", default_value = DATA)]
    pub data: PathBuf,
    /// Use the embedded database even if UPSTASH_REDIS_REST_URL is set.
    #[arg(long)]
    pub embedded: bool,
    /// Do not scan the sample guild's `#clips` at the first start. Another database than the
    /// embedded one is never scanned into unasked.
    #[arg(long)]
    pub no_scan: bool,
}

/// Parses an IP address or `localhost`.
fn address(text: &str) -> Result<IpAddr, String> {
    match text {
        "localhost" => Ok(Ipv4Addr::LOCALHOST.into()),
        _ => text
            .parse()
            .map_err(|_| "expected an IP address such as 172.17.0.1".to_owned()),
    }
}

/// A running system.
pub struct System {
    pub host: Host,
    pub redis: RedisConfig,
    pub discord: DiscordConfig,
    pub auth: AuthConfig,
    endpoint: Option<upstash_local::Server>,
    sample: Option<discord_local::Server>,
}

/// `dev up`.
///
/// # Errors
/// If something could not be started, or failed later.
pub async fn up(command: UpCommand) -> anyhow::Result<()> {
    shared::telemetry::start_for_people()?;
    let mut signals = Signals::catch().context("cannot install signal handlers")?;
    say("Starting Trawl\n");
    let tell = |step: &str| say(&format!("  {step}\n"));
    let system = System::start_telling(&command, &Environment::process(), &tell).await?;
    say(&format!("\nTrawl is ready at {}\n", system.host.url()));
    let ended = tokio::select! {
        () = signals.told_to_stop() => Ok(()),
        reason = system.failed() => Err(anyhow!("the database has stopped: {reason}")),
        never = system.welcome(&command) => match never {},
    };
    say("\nstopping\n");
    system.stop().await;
    ended
}

impl System {
    /// # Errors
    /// If a service could not be started.
    pub async fn start(command: &UpCommand, env: &Environment<'_>) -> anyhow::Result<System> {
        System::start_telling(command, env, &|_| ()).await
    }

    /// Starts the system, and tells each step before it is taken.
    ///
    /// # Errors
    /// What could not be started.
    pub async fn start_telling(
        command: &UpCommand,
        env: &Environment<'_>,
        tell: &dyn Fn(&str),
    ) -> anyhow::Result<System> {
        let settings = Settings::read(env)?;
        let clock = Clock::system();
        // Bind first: if this fails, nothing has been created that needs cleaning up.
        let address = command.listen.address;
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address}; choose another with --listen"))?;
        let configured = match settings.redis.clone().filter(|_| !command.embedded) {
            Some(config) => {
                tell(&format!("asking the database at {}", config.url));
                Some(reachable(config, &clock).await?)
            }
            None => None,
        };
        let keys = Keys::of(&command.data)?;
        let auth = Settings::auth(env, &keys)?;
        let place = Place::new(command.services, &command.host_names);
        let (redis, endpoint) = match configured {
            Some(config) => (config, None),
            None => {
                let data = command.data.display();
                tell(&format!("opening the embedded database in {data}"));
                let token = settings.embedded_token.clone();
                let token = token.unwrap_or_else(|| keys.database_token.clone());
                let server = start_endpoint(&command.data, &place, token.clone()).await?;
                (settings.local_redis(server.url(), token), Some(server))
            }
        };
        let (sample, discord) = match settings.discord.clone() {
            Some(config) => (None, config),
            None => {
                tell("starting a sample Discord server with one guild");
                let (server, config) = start_sample(&place, settings.page_interval).await?;
                (Some(server), config)
            }
        };
        tell("starting the functions and the schedule that drains the queue");
        let functions = Functions::new(
            &FunctionsConfig {
                redis: redis.clone(),
                cache: settings.cache.redis.clone(),
                auth: auth.clone(),
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
        let names = command.host_names.iter().chain(&command.listen.name);
        let names: Vec<String> = names.cloned().collect();
        let host = Host::known_as(&names, listener, functions, true)?;
        Ok(System {
            host,
            redis,
            discord,
            auth,
            endpoint,
            sample,
        })
    }

    /// Shows the main job at work, if this is the first start with the sample guild, and then
    /// what a person can do with the system. Never returns.
    async fn welcome(&self, command: &UpCommand) -> std::convert::Infallible {
        // Nothing is written to a database of somebody's own without being asked.
        let is_ours = self.sample.is_some() && self.endpoint.is_some();
        if is_ours && !command.no_scan {
            // The system is of use without it.
            if let Err(error) = first_scan(&self.host.url(), &command.data).await {
                say(&format!("\nThe sample guild was not scanned: {error:#}\n"));
            }
        }
        say(&self.introduction(command));
        std::future::pending().await
    }

    /// Waits until the embedded database has failed, and says why. Never returns otherwise.
    pub async fn failed(&self) -> String {
        match &self.endpoint {
            Some(endpoint) => endpoint.failed().await,
            None => std::future::pending().await,
        }
    }

    /// Stops all services. Every acknowledged write is on disk.
    pub async fn stop(self) {
        self.host.stop().await;
        if let Some(sample) = self.sample {
            sample.stop().await;
        }
        if let Some(endpoint) = self.endpoint {
            endpoint.stop().await;
        }
    }

    /// What a person is told of the running system, and can do with it.
    pub fn introduction(&self, command: &UpCommand) -> String {
        let (url, data) = (self.host.url(), command.data.display());
        let (key, admin) = (self.auth.api_key.value(), self.auth.admin_key.value());
        let mut told = format!("\nOpen {url} or call the routes. Ctrl-C stops Trawl.\n\n");
        let mut row = |name: &str, text: String| {
            // Text is written to memory: this cannot fail.
            let _ = writeln!(told, "  {name:<9} {text}");
        };
        row("database", self.redis.url.clone());
        if self.endpoint.is_some() {
            row("", format!("token {}", self.redis.token.value()));
            row("", format!("kept in {data}"));
        }
        row("Discord", self.discord.api_base.clone());
        if self.sample.is_some() {
            row("", "a sample guild".to_owned());
        }
        row("api key", key.to_string());
        row("admin key", admin.to_string());
        let (guild, channel) = match &self.sample {
            Some(_) => (sample::GUILD_ID.to_string(), sample::CLIPS_ID.to_string()),
            None => ("GUILD".to_owned(), "CHANNEL".to_owned()),
        };
        let mut scan =
            format!("cargo run -p dev -- scan \\\n    --guild {guild} --channel {channel}");
        if format!("http://{LISTEN}") != url {
            let _ = write!(scan, " \\\n    --url {url}");
        }
        if command.data.as_os_str() != DATA {
            let _ = write!(scan, " \\\n    --data {data}");
        }
        let _ = write!(
            told,
            "\nStart a scan:\n\n  \
             curl -s {url}/api/jobs/scan \\\n    \
             -H 'Authorization: Bearer {key}' \\\n    \
             -H 'Content-Type: application/json' \\\n    \
             -d '{{\"guildId\":\"{guild}\",\"channelId\":\"{channel}\"}}'\n\
             \nFollow it (with the scanId it answered):\n\n  \
             curl -s '{url}/api/scans/stream/SCAN_ID?lastId=0' \\\n    \
             -H 'Authorization: Bearer {key}'\n\
             \nOr both at once:\n\n  {scan}\n\n"
        );
        told
    }
}
