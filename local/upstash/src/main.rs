//! `upstash-local`: the endpoint as a program.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};
use upstash_local::{Listen, Options, RedisUrl, Server, Store};

/// An Upstash-compatible Redis REST endpoint on this machine.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen: a port, or an address or name with one.
    #[arg(long, default_value = "127.0.0.1:8079")]
    listen: Listen,
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
    control: Option<Listen>,
    /// Makes random replies repeatable; the made token never is.
    #[arg(long)]
    seed: Option<u64>,
    /// A name the server may be called by, besides localhost and its address.
    #[arg(long = "host-name", value_name = "NAME")]
    host_names: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Durability {
    /// With the operating system: survives a crash of the process.
    Normal,
    /// Synced to the disk: survives a crash of the machine.
    Full,
}

fn options(arguments: Arguments) -> anyhow::Result<Options> {
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
    let seed = match arguments.seed {
        Some(seed) => seed,
        None => getrandom::u64().context("the system has no randomness to give")?,
    };
    Ok(Options {
        listen: arguments.listen.address,
        tokens: arguments.tokens,
        store,
        seed,
        host_names: arguments
            .host_names
            .into_iter()
            .chain(arguments.listen.name)
            .collect(),
        control: arguments.control.map(|control| control.address),
        ..Options::default()
    })
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
async fn main() -> ExitCode {
    let Err(error) = run().await else {
        return ExitCode::SUCCESS;
    };
    // The causes, for a person; where in the program it happened helps nobody here.
    eprintln!("error: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  because: {cause}");
    }
    ExitCode::FAILURE
}

async fn run() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    // Caught from here on: one that comes early ends nothing half-way.
    let mut interrupt = signal(SignalKind::interrupt()).context("signals cannot be caught")?;
    let mut terminate = signal(SignalKind::terminate()).context("signals cannot be caught")?;
    let server = Server::start(options(Arguments::parse())?).await?;
    // Nobody has to read this: a closed pipe is no reason to end.
    let _ = announce(&server);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        reason = server.failed() => anyhow::bail!("the engine has stopped: {reason}"),
    }
    server.stop().await;
    Ok(())
}
