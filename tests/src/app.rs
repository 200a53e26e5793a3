//! The system under test.

use std::time::Duration;

use dev::{Functions, FunctionsConfig, Host};
use discord_local::{Guild, RateLimit};
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::config::{
    AuthConfig, DiscordConfig, DrainConfig, HttpConfig, LimitConfig, LimitsConfig, Provider,
    QueueConfig, RedisConfig,
};
use shared::outbound::Hosts;
use shared::queue::Queue;
use shared::redis::Redis;
use shared::scan::ScanStore;
use tokio::net::TcpListener;

use crate::leftovers::Leftovers;
use crate::ssm::Parameters;
use crate::{Reply, START_MS, document};

/// Differences from the usual test system.
pub struct Options {
    /// The prefix of every key.
    pub key_prefix: String,
    pub guild: Guild,
    pub queue: QueueConfig,
    pub drain: DrainConfig,
    /// Whether `enqueue` wakes a drainer with an invoke call.
    pub wake: bool,
    /// Where drainers are invoked, if not here.
    pub invoke_url: Option<String>,
    pub page_interval: Duration,
    /// Whether clips are looked into, and for how long at most.
    pub probes: Option<Duration>,
    pub origins: Vec<String>,
    pub limits: LimitsConfig,
    /// Where metrics are written, if anywhere.
    pub metrics: Option<shared::metrics::Sink>,
    /// A separate endpoint for the cache.
    pub cache: Option<upstash_local::Server>,
    /// The secrets to read from parameters. The others are plain settings.
    pub parameters: Option<Parameters>,
}

/// Limits that no test reaches by accident, because the clock stands still during
/// requests.
pub fn generous_limits() -> LimitsConfig {
    let limit = LimitConfig::new(1_000_000, 60);
    LimitsConfig {
        read: limit,
        api: limit,
        message: limit,
        export: limit,
        ..LimitsConfig::default()
    }
}

impl Default for Options {
    fn default() -> Options {
        Options {
            key_prefix: "trawl:".to_owned(),
            guild: Guild::empty(1_200_000_000_000_000_000),
            drain: DrainConfig::default(),
            queue: QueueConfig {
                linger: Duration::ZERO,
                coalesce: Duration::ZERO,
                // The tests' clock is far from the endpoint's.
                clock_skew: None,
                ..QueueConfig::default()
            },
            wake: false,
            invoke_url: None,
            page_interval: Duration::ZERO,
            probes: None,
            origins: Vec::new(),
            metrics: None,
            limits: generous_limits(),
            parameters: None,
            cache: None,
        }
    }
}

/// The endpoint, the sample Discord server and the functions, each on its own port.
pub struct TestApp {
    /// Declared first, so that it is dropped while the engine still runs.
    leftovers: Leftovers,
    clip_leftovers: Leftovers,
    pub endpoint: upstash_local::Server,
    /// The cache's separate endpoint, if it has one.
    pub cache: Option<upstash_local::Server>,
    pub discord: discord_local::Server,
    pub functions: Functions,
    /// The settings that the functions are built from.
    pub config: FunctionsConfig,
    pub redis: Redis,
    pub clock: Clock,
    pub url: String,
    pub key_prefix: String,
    host: Host,
    http: reqwest::Client,
}

impl TestApp {
    pub const API_KEY: &str = "test-api-key-0123456789";
    pub const ADMIN_KEY: &str = "test-admin-key-0123456789";

    /// A system whose Discord server has this guild.
    pub async fn with_guild(guild: Guild) -> TestApp {
        TestApp::start(Options {
            guild,
            ..Options::default()
        })
        .await
    }

    pub async fn start(options: Options) -> TestApp {
        let clock = Clock::manual(START_MS);
        let endpoint = upstash_local::Server::start(upstash_local::Options {
            clock: upstash_local::Clock::manual(START_MS),
            ..upstash_local::Options::default()
        })
        .await
        .unwrap();
        let discord = discord_local::Server::start(discord_local::Options {
            guild: options.guild,
            rate_limit: RateLimit::off(),
            now_ms: {
                let clock = clock.clone();
                std::sync::Arc::new(move || clock.now_ms())
            },
            ..discord_local::Options::default()
        })
        .await
        .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let redis_config = RedisConfig {
            provider: Provider::Local,
            url: endpoint.url(),
            token: endpoint.token().into(),
            key_prefix: options.key_prefix.clone(),
            ca_file: None,
        };
        let config = FunctionsConfig {
            redis: redis_config.clone(),
            cache: options.cache.as_ref().map(|own| RedisConfig {
                url: own.url(),
                token: own.token().into(),
                ..redis_config.clone()
            }),
            auth: AuthConfig {
                api_key: Self::API_KEY.into(),
                admin_key: Self::ADMIN_KEY.into(),
            },
            http: HttpConfig {
                cors_origins: options.origins,
                limits: options.limits,
            },
            queue: options.queue,
            drain: options.drain,
            discord: DiscordConfig {
                token: "sample-bot-token".into(),
                api_base: discord.url(),
                page_interval: options.page_interval,
                cdn_hosts: options.probes.and_then(|_| Hosts::listed("127.0.0.1")),
                probe_time: options.probes.unwrap_or_default(),
            },
            command_budget: 500_000,
            metrics: options.metrics,
            invoke_url: options.invoke_url.or(options.wake.then(|| url.clone())),
        };
        let config = match options.parameters {
            Some(parameters) => parameters.into_config(config, &clock).await,
            None => config,
        };
        let functions = Functions::new(&config, &clock).unwrap();
        let host = Host::start(listener, functions.clone(), false).unwrap();
        let [_, clips] = functions.drain.queues();
        TestApp {
            leftovers: Leftovers::new(endpoint.inspector(), functions.queue.keys()),
            clip_leftovers: Leftovers::new(endpoint.inspector(), clips.keys()),
            redis: shared::redis::connect(&redis_config, &clock).unwrap(),
            endpoint,
            cache: options.cache,
            discord,
            functions,
            config,
            clock,
            url,
            key_prefix: options.key_prefix,
            host,
            http: shared::http_client().unwrap(),
        }
    }

    /// Declares how many unfinished jobs the test leaves. The default is none.
    pub fn leaves_unfinished(&self, count: i64) {
        self.leftovers.expect_unfinished(count);
    }

    /// Declares how many failed jobs the test leaves. The default is none.
    pub fn leaves_failed(&self, count: i64) {
        self.leftovers.expect_failed(count);
    }

    /// Allows any number of leftover jobs, for tests that are not about jobs.
    pub fn leaves_any_jobs(&self) {
        self.leftovers.expect_any();
        self.clip_leftovers.expect_any();
    }

    /// Stops everything.
    ///
    /// # Panics
    /// If the leftover jobs are not those that the test declared.
    pub async fn stop(self) {
        self.leftovers.check();
        self.clip_leftovers.check();
        self.host.stop().await;
        self.discord.stop().await;
        if let Some(cache) = self.cache {
            cache.stop().await;
        }
        self.endpoint.stop().await;
    }

    /// Advances the clock of all parts.
    pub fn advance(&self, by: Duration) {
        self.endpoint.clock().advance(by);
        if let Some(cache) = &self.cache {
            cache.clock().advance(by);
        }
        self.clock.advance(by);
    }

    pub fn queue(&self) -> &Queue {
        &self.functions.queue
    }

    pub fn store(&self) -> ScanStore {
        ScanStore::new(self.redis.clone(), &self.key_prefix)
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.http.get(self.path(path))).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(self.http.post(self.path(path)).json(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        self.send(self.http.put(self.path(path)).json(body)).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.send(self.http.delete(self.path(path))).await
    }

    /// Sends a request with the API key.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        self.send_plain(request.bearer_auth(Self::API_KEY)).await
    }

    /// Sends a request unchanged, and checks that the OpenAPI document promises its reply.
    pub async fn send_plain(&self, request: reqwest::RequestBuilder) -> Reply {
        let request = request.build().unwrap();
        let (method, url) = (request.method().clone(), request.url().clone());
        let reply = Reply::read(self.http.execute(request).await.unwrap()).await;
        if url.as_str().starts_with(&self.url) {
            document::check(&method, url.path(), &reply);
        }
        reply
    }

    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Billed commands and round trips since the meter was last reset, without those of
    /// the one request in a hundred that updates the month's count.
    pub fn cost(&self) -> (u64, u64) {
        let meter = self.endpoint.meter();
        let counting = meter.commands.get("hincrby").copied().unwrap_or(0);
        let trips: u64 = meter.requests.values().sum();
        (meter.total - counting, trips - counting)
    }

    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Invokes the drainer as the schedule does and returns its report.
    pub async fn drain(&self) -> Value {
        let reply = self
            .post(
                "/2015-03-31/functions/drain/invocations",
                &json!({ "source": "aws.scheduler" }),
            )
            .await;
        assert_eq!(reply.status, 200, "{}", reply.json);
        reply.json
    }

    /// Enqueues a forward scan of a channel and returns its ID.
    pub async fn scan(&self, channel_id: u64, more: Value) -> String {
        let guild_id = self.discord.guild().id;
        let mut body =
            json!({ "guildId": guild_id.to_string(), "channelId": channel_id.to_string() });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let reply = self.post("/api/jobs/scan", &body).await;
        assert_eq!(reply.status, 202, "{}", reply.json);
        reply.text("/scanId").to_owned()
    }

    /// The job as the API shows it.
    pub async fn job(&self, id: &str) -> Value {
        let reply = self.get(&format!("/api/jobs/{id}")).await;
        assert_eq!(reply.status, 200, "{}", reply.json);
        reply.json
    }

    /// What a client that follows the scan from the start sees.
    pub async fn stream(&self, id: &str) -> Value {
        let reply = self.get(&format!("/api/scans/stream/{id}?lastId=0")).await;
        assert_eq!(reply.status, 200, "{}", reply.json);
        reply.json
    }

    /// The record of a channel.
    pub async fn channel(&self, channel_id: u64) -> shared::scan::Channel {
        let guild_id = self.discord.guild().id.to_string();
        let found = self
            .store()
            .channel(&guild_id, &channel_id.to_string())
            .await;
        found.unwrap().expect("the channel was scanned")
    }

    /// Messages of a channel that were listed so far.
    pub async fn channel_total(&self, channel_id: u64) -> u64 {
        let guild_id = self.discord.guild().id.to_string();
        let found = self
            .store()
            .channel(&guild_id, &channel_id.to_string())
            .await;
        found
            .unwrap()
            .map_or(0, |channel| channel.total_messages_scanned)
    }

    /// The IDs of the clips stored for a channel, sorted.
    pub async fn clip_ids(&self, channel_id: u64) -> Vec<String> {
        let guild_id = self.discord.guild().id.to_string();
        let found = self.store().clips(&guild_id, &channel_id.to_string()).await;
        let clips = found.unwrap();
        let mut ids: Vec<String> = clips.into_iter().map(|clip| clip.id).collect();
        ids.sort();
        ids
    }
}
