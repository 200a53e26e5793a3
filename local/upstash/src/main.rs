//! `upstash-local`: the endpoint as a program.

use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, ValueEnum};
use upstash_local::{Options, RedisUrl, Server, Store};

/// An Upstash-compatible Redis REST endpoint on this machine.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8079")]
    listen: SocketAddr,
    /// A token; each one opens a database of its own. Without any, one is made.
    #[arg(long = "token")]
    tokens: Vec<String>,
    /// The file the data is kept in.
    #[arg(long, default_value = "./upstash-local.db", conflicts_with = "memory")]
    db: PathBuf,
    /// Keep the data in memory only.
    #[arg(long)]
    memory: bool,
    /// Keep the data in a real Redis or Valkey: redis://user:password@host:port/database.
    #[arg(long, value_name = "URL", conflicts_with_all = ["db", "memory", "durability"])]
    redis: Option<RedisUrl>,
    /// When a write counts as kept.
    #[arg(long, value_enum, default_value_t = Durability::Normal)]
    durability: Durability,
    /// Where to serve the meter, the faults and the clock; a loopback address.
    #[arg(long)]
    control: Option<SocketAddr>,
    /// Makes random replies and the made token repeatable.
    #[arg(long)]
    seed: Option<u64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Durability {
    /// With the operating system: survives a crash of the process.
    Normal,
    /// Synced to the disk: survives a crash of the machine.
    Full,
}

fn options(arguments: Arguments) -> Options {
    let durability = match arguments.durability {
        Durability::Normal => upstash_local::Durability::Normal,
        Durability::Full => upstash_local::Durability::Full,
    };
    let store = match (arguments.redis, arguments.memory) {
        (Some(url), _) => Store::Redis { url },
        (None, true) => Store::Memory,
        (None, false) => Store::File {
            path: arguments.db,
            durability,
        },
    };
    Options {
        listen: arguments.listen,
        tokens: arguments.tokens,
        store,
        // The standard library's hasher keys are the one source of randomness at hand.
        seed: arguments
            .seed
            .unwrap_or_else(|| RandomState::new().hash_one(0)),
        control: arguments.control,
        ..Options::default()
    }
}

fn announce(server: &Server) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "UPSTASH_REDIS_REST_URL={}", server.url())?;
    writeln!(out, "UPSTASH_REDIS_REST_TOKEN={}", server.token())?;
    match server.control_url() {
        Some(url) => writeln!(out, "control {url}"),
        None => Ok(()),
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let server = Server::start(options(Arguments::parse())).await?;
    // Nobody has to read this: a closed pipe is no reason to end.
    let _ = announce(&server);
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .context("SIGTERM cannot be awaited")?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
        reason = server.failed() => anyhow::bail!("the engine has stopped: {reason}"),
    }
    server.stop().await;
    Ok(())
}
