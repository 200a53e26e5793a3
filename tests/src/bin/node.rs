//! A process for tests to kill: the endpoint on a file, or the functions' host.
//!
//! `node endpoint LISTEN DB`, `node host LISTEN REDIS_URL DISCORD_URL`. Prints `ready`
//! when it serves requests.

use std::time::Duration;

use dev::{Functions, FunctionsConfig, Host};
use integration::{NODE_LEASE, NODE_TOKEN, TestApp};
use shared::clock::Clock;
use shared::config::{
    AuthConfig, DiscordConfig, DrainConfig, HttpConfig, Provider, QueueConfig, RedisConfig,
};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["endpoint", listen, db] => {
            let server = upstash_local::Server::start(upstash_local::Options {
                listen: listen.parse()?,
                tokens: vec![NODE_TOKEN.to_owned()],
                store: upstash_local::Store::File {
                    path: db.into(),
                    durability: upstash_local::Durability::Normal,
                },
                ..upstash_local::Options::default()
            })
            .await?;
            println!("ready");
            std::future::pending::<()>().await;
            server.stop().await;
        }
        ["host", listen, redis, discord] => {
            let clock = Clock::system();
            let functions = Functions::new(&config(redis, discord), &clock)?;
            let listener = TcpListener::bind(listen).await?;
            let host = Host::start(listener, functions, false)?;
            println!("ready");
            std::future::pending::<()>().await;
            host.stop().await;
        }
        _ => anyhow::bail!("expected `endpoint LISTEN DB` or `host LISTEN REDIS_URL DISCORD_URL`"),
    }
    Ok(())
}

fn config(redis: &str, discord: &str) -> FunctionsConfig {
    FunctionsConfig {
        redis: RedisConfig {
            provider: Provider::Local,
            url: redis.to_owned(),
            token: NODE_TOKEN.into(),
            key_prefix: "trawl:".to_owned(),
            ca_file: None,
        },
        cache: None,
        auth: AuthConfig {
            api_key: TestApp::API_KEY.into(),
            admin_key: TestApp::ADMIN_KEY.into(),
        },
        http: HttpConfig {
            limits: integration::generous_limits(),
            ..HttpConfig::default()
        },
        command_budget: 500_000,
        metrics: None,
        drain: DrainConfig::default(),
        queue: QueueConfig {
            lease: NODE_LEASE,
            linger: Duration::ZERO,
            ..QueueConfig::default()
        },
        discord: DiscordConfig {
            token: "sample-bot-token".into(),
            api_base: discord.to_owned(),
            page_interval: Duration::from_millis(2),
            cdn_hosts: None,
            probe_time: Duration::from_secs(10),
        },
        invoke_url: None,
    }
}
