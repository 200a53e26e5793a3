//! The services the functions are measured against: the endpoint with and without TLS,
//! the AWS stand-ins, Discord, and the data each function expects in the database.

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

/// How a function connects to the database, and where it gets its secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Link {
    #[serde(rename = "plain")]
    Plain,
    #[serde(rename = "tls")]
    Tls,
    /// Over TLS, with secrets from SSM.
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

    /// The link that Node and Python are compared on. They get their secrets from the
    /// environment.
    pub fn of_others(self) -> Link {
        match self {
            Link::Plain => Link::Plain,
            Link::Tls | Link::TlsAndSecrets => Link::Tls,
        }
    }

    /// Whether `program` supports this link.
    pub fn suits(self, program: &Program) -> bool {
        self != Link::TlsAndSecrets || program.takes_parameters
    }
}

/// The secrets of a local system, as used in the event files.
const SECRETS: [(&str, &str); 2] = [
    ("TRAWL_API_KEY", "trawl-development-api-key"),
    ("TRAWL_ADMIN_KEY", "trawl-development-admin-key"),
];
const DISCORD_TOKEN: (&str, &str) = ("DISCORD_TOKEN", "sample-bot-token");
const REDIS_TOKEN: &str = "UPSTASH_REDIS_REST_TOKEN";

/// The rate-limited actions. The benchmark switches all limits off.
const LIMITS: [&str; 4] = ["READ", "API", "MESSAGE", "LOGIN"];

/// Everything the functions connect to.
pub struct Site {
    pub clock: Clock,
    endpoint: Endpoint,
    front: Front,
    /// Holds the TLS proxy's root certificate.
    folder: tempfile::TempDir,
    aws: Aws,
    discord: discord_local::Server,
}

impl Site {
    /// Starts all services, with the endpoint as `program` or in this process.
    ///
    /// # Errors
    /// If a service does not start.
    pub async fn start(program: Option<&Path>) -> anyhow::Result<Site> {
        let endpoint = Endpoint::start(&Target::Embedded, program).await?;
        let address = endpoint.url().trim_start_matches("http://");
        let front = Front::start(address).await?;
        let folder = tempfile::tempdir().context("cannot create a folder for the certificate")?;
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

    /// The file with the root certificate of the TLS servers.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }

    /// Stores the data that `program` expects in the database.
    ///
    /// # Errors
    /// If the endpoint does not reply.
    pub async fn prepare(&self, program: &Program) -> anyhow::Result<()> {
        match program.side {
            Side::Function(case) if case.asks_for_job => {}
            _ => return Ok(()),
        }
        let prefix = prefix(program);
        let redis = shared::redis::connect(&self.endpoint.redis(&prefix), &self.clock)?;
        let config = QueueConfig::default();
        let queue = Queue::new(redis, &prefix, SCAN, self.clock.clone(), config);
        let id = JobId::parse(JOB).context("the job ID in the events is invalid")?;
        let place = json!({
            "guildId": sample::GUILD_ID.to_string(), "channelId": sample::CLIPS_ID.to_string(),
            "scanMode": "forward",
        });
        queue
            .enqueue(NewJob::new(id, ChannelScan::SCAN, &place)?)
            .await?;
        Ok(())
    }

    /// The environment of `program` as in `template.yaml`, with the database at `url`.
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
            ("DISCORD_CDN_HOSTS", "none"),
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

/// Each program gets its own key prefix.
fn prefix(program: &Program) -> String {
    format!("bench:{}:", program.name)
}

/// The SSM parameter that holds the setting `name`.
fn parameter(name: &str) -> String {
    format!("/bench/{name}")
}
