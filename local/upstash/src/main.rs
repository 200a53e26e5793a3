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
    /// Address to listen on: a port, ADDRESS:PORT or NAME:PORT.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8079")]
    listen: Listen,
    /// Access token. Each token opens its own database; repeat the option for more. Without
    /// it, a random token is generated and printed.
    #[arg(long = "token", value_name = "TOKEN")]
    tokens: Vec<String>,
    /// File to store the data in.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "./upstash-local.db",
        conflicts_with = "memory"
    )]
    db: PathBuf,
    /// Keep the data in memory only.
    #[arg(long)]
    memory: bool,
    /// Store the data in a real Redis or Valkey: redis://user:password@host:port/database.
    #[arg(long, value_name = "URL", conflicts_with_all = ["db", "memory", "durability"])]
    redis: Option<RedisUrl>,
    /// When a write is acknowledged.
    #[arg(long, value_enum, default_value_t = Durability::Normal)]
    durability: Durability,
    /// Also serve the control API (billing meter, faults, clock) on this loopback address.
    #[arg(long, value_name = "ADDRESS")]
    control: Option<Listen>,
    /// Seed for commands with random replies, to make them repeatable. Does not affect the
    /// generated token.
    #[arg(long)]
    seed: Option<u64>,
    /// Extra host name to accept in requests, besides localhost and the address above. May
    /// be repeated.
    #[arg(long = "host-name", value_name = "NAME")]
    host_names: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Durability {
    /// After the operating system has it: survives a crash of the process.
    Normal,
    /// After it is synced to disk: also survives a crash of the machine.
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
        None => getrandom::u64().context("cannot get random bytes from the system")?,
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
    // Print the chain of causes but no backtrace: the usual cause is a typing mistake.
    eprintln!("error: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  caused by: {cause}");
    }
    ExitCode::FAILURE
}

async fn run() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    // Installed before the server starts, so an early signal does not interrupt the start.
    let mut interrupt =
        signal(SignalKind::interrupt()).context("cannot install signal handlers")?;
    let mut terminate =
        signal(SignalKind::terminate()).context("cannot install signal handlers")?;
    let server = Server::start(options(Arguments::parse())?).await?;
    // A closed pipe is not a reason to stop.
    let _ = announce(&server);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        reason = server.failed() => anyhow::bail!("the engine has stopped: {reason}"),
    }
    server.stop().await;
    Ok(())
}
