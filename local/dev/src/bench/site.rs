//! What functions are measured at: the endpoint with and without TLS, the services of
//! AWS, Discord, and what each function finds in the database.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use discord_local::{RateLimit, sample};
use serde::Serialize;
use serde_json::json;
use shared::clock::Clock;
use shared::config::QueueConfig;
use shared::jobs::ChannelScan;
use shared::queue::{JobId, NewJob, Queue, SCAN};

use super::aws::Aws;
use super::cases::JOB;
use super::program::{Program, Side};
use super::tls::Front;
use crate::measure::{Endpoint, Target};

/// How a function reaches the database, and what it has to read before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Link {
    #[serde(rename = "plain")]
    Plain,
    #[serde(rename = "tls")]
    Tls,
    /// Over TLS, with its secrets from SSM.
    #[serde(rename = "tls with secrets from ssm")]
    TlsAndSecrets,
}

impl Link {
    pub const ALL: [Link; 3] = [Link::Plain, Link::Tls, Link::TlsAndSecrets];

    pub fn told(self) -> &'static str {
        match self {
            Link::Plain => "without TLS",
            Link::Tls => "with TLS",
            Link::TlsAndSecrets => "with TLS, secrets from SSM",
        }
    }

    /// What programs in other languages are compared with over this link do: they are
    /// told their secrets.
    pub fn of_others(self) -> Link {
        match self {
            Link::Plain => Link::Plain,
            Link::Tls | Link::TlsAndSecrets => Link::Tls,
        }
    }

    /// Whether `program` can do it.
    pub fn suits(self, program: &Program) -> bool {
        self != Link::TlsAndSecrets || program.takes_parameters
    }
}

/// The secrets of every system on one machine, as the events know them.
const SECRETS: [(&str, &str); 2] = [
    ("TRAWL_API_KEY", "trawl-development-api-key"),
    ("TRAWL_ADMIN_KEY", "trawl-development-admin-key"),
];
const DISCORD_TOKEN: (&str, &str) = ("DISCORD_TOKEN", "sample-bot-token");
const REDIS_TOKEN: &str = "UPSTASH_REDIS_REST_TOKEN";

/// The actions that are limited; here none is.
const LIMITS: [&str; 4] = ["READ", "API", "MESSAGE", "LOGIN"];

/// Everything that stands around the functions.
pub struct Site {
    pub clock: Clock,
    endpoint: Endpoint,
    front: Front,
    /// Holds the root of the front.
    folder: tempfile::TempDir,
    aws: Aws,
    discord: discord_local::Server,
}

impl Site {
    /// With the endpoint `program`, or one in this process.
    ///
    /// # Errors
    /// What does not start.
    pub async fn start(program: Option<&Path>) -> anyhow::Result<Site> {
        let endpoint = Endpoint::start(&Target::Embedded, program).await?;
        let address = endpoint.url().trim_start_matches("http://");
        let front = Front::start(address).await?;
        let folder = tempfile::tempdir().context("there is no folder for a certificate")?;
        std::fs::write(folder.path().join("root.pem"), &front.root)?;
        let secrets = SECRETS
            .into_iter()
            .chain([DISCORD_TOKEN, (REDIS_TOKEN, endpoint.token())]);
        let secrets = secrets.map(|(name, value)| (parameter(name), value.to_owned()));
        let aws = Aws::start(secrets.collect()).await?;
        let discord = discord_local::Server::start(discord_local::Options {
            rate_limit: RateLimit::off(),
            ..discord_local::Options::default()
        });
        Ok(Site {
            clock: Clock::system(),
            discord: discord.await?,
            endpoint,
            front,
            folder,
            aws,
        })
    }

    /// The address of the database over `link`.
    pub fn url(&self, link: Link) -> &str {
        match link {
            Link::Plain => self.endpoint.url(),
            Link::Tls | Link::TlsAndSecrets => &self.front.url,
        }
    }

    /// The file with the root of those that speak TLS here.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }

    /// What `program` finds in the database.
    ///
    /// # Errors
    /// When the endpoint has gone.
    pub async fn prepare(&self, program: &Program) -> anyhow::Result<()> {
        match program.side {
            Side::Function(case) if case.asks_for_job => {}
            _ => return Ok(()),
        }
        let prefix = prefix(program);
        let redis = shared::redis::connect(&self.endpoint.redis(&prefix), &self.clock)?;
        let config = QueueConfig::default();
        let queue = Queue::new(redis, &prefix, SCAN, self.clock.clone(), config);
        let id = JobId::parse(JOB).context("the events name a job")?;
        let place = json!({
            "guildId": sample::GUILD_ID.to_string(), "channelId": sample::CLIPS_ID.to_string(),
            "scanMode": "forward",
        });
        queue
            .enqueue(NewJob::new(id, ChannelScan::SCAN, &place)?)
            .await?;
        Ok(())
    }

    /// The environment of `program`, as `template.yaml` gives it, with the database at
    /// `url`.
    pub fn environment(&self, program: &Program, link: Link, url: &str) -> Vec<(String, String)> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        let mut set = |name: &str, value: &str| pairs.push((name.to_owned(), value.to_owned()));
        for (name, value) in [
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("AWS_SESSION_TOKEN", "local"),
            ("AWS_LAMBDA_FUNCTION_NAME", &program.name),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "bench"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
            ("UPSTASH_REDIS_REST_URL", url),
        ] {
            set(name, value);
        }
        let root = self.root();
        let root = (link != Link::Plain).then(|| root.to_string_lossy());
        let Side::Function(case) = program.side else {
            set(REDIS_TOKEN, self.endpoint.token());
            for name in ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"] {
                root.iter().for_each(|root| set(name, root));
            }
            return pairs;
        };
        root.iter().for_each(|root| set("REDIS_CA_FILE", root));
        if link == Link::Plain {
            set("REDIS_PROVIDER", "local");
        }
        let mut secrets = vec![(REDIS_TOKEN, self.endpoint.token())];
        if case.is_route() {
            secrets.extend(SECRETS);
        }
        if case.asks_discord {
            secrets.push(DISCORD_TOKEN);
        }
        for (name, value) in secrets {
            match link {
                Link::TlsAndSecrets => set(&format!("{name}_PARAMETER"), &parameter(name)),
                Link::Plain | Link::Tls => set(name, value),
            }
        }
        for limit in LIMITS {
            set(&format!("RATE_LIMIT_{limit}"), "1000000/60");
        }
        for (name, value) in [
            ("KEY_PREFIX", prefix(program).as_str()),
            ("METRICS", "emf"),
            ("STAGE", "bench"),
            ("DRAIN_FUNCTION", "drain"),
            ("DISCORD_API_BASE", &self.discord.url()),
            ("AWS_ENDPOINT_URL_LAMBDA", &self.aws.url),
            ("AWS_ENDPOINT_URL_SSM", &self.aws.url),
        ] {
            set(name, value);
        }
        pairs
    }

    pub async fn stop(self) {
        self.discord.stop().await;
        self.endpoint.stop().await;
    }
}

/// Programs do not meet in the database.
fn prefix(program: &Program) -> String {
    format!("bench:{}:", program.name)
}

/// The parameter that holds the setting `name`.
fn parameter(name: &str) -> String {
    format!("/bench/{name}")
}
