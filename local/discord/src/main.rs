//! `discord-local`: the server on a port of one's choice.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use discord_local::{Options, Server, sample};
use tokio::signal::unix::{SignalKind, signal};

/// A small Discord-compatible server with a sample guild.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen, a port or an address with one; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8078", value_parser = listen)]
    listen: SocketAddr,
    /// A name the server may be called by, besides localhost and its address.
    #[arg(long = "host-name", value_name = "NAME")]
    host_names: Vec<String>,
    /// The bot token to accept.
    #[arg(long, default_value = "sample-bot-token")]
    token: String,
    /// What the sample guild's messages hold.
    #[arg(long, default_value_t = sample::DEFAULT_SEED)]
    seed: u64,
}

/// `8078`, `localhost:8078` or `127.0.0.1:8078`.
fn listen(text: &str) -> Result<SocketAddr, String> {
    let whole = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None if text.bytes().all(|byte| byte.is_ascii_digit()) => format!("127.0.0.1:{text}"),
        None => text.to_owned(),
    };
    whole
        .parse()
        .map_err(|_| "expected a port such as 8078, or an address with one".to_owned())
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: the server cannot run: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    // Caught from here on: one that comes early ends nothing half-way.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let server = Server::start(Options {
        listen: arguments.listen,
        host_names: arguments.host_names,
        token: arguments.token.clone(),
        guild: sample::guild(arguments.seed),
        ..Options::default()
    })
    .await?;

    let guild = server.guild();
    println!("API    {}", server.url());
    println!("CDN    {}", server.cdn_url());
    println!("token  {}", arguments.token);
    println!("guild  {} {}", guild.id, guild.name);
    println!("{:<20} type messages clips  name", "channel");
    for channel in guild.channels() {
        println!(
            "{:<20} {:>4} {:>8} {:>5}  {}",
            channel.id,
            channel.kind,
            guild.message_count(channel.id),
            guild.clips(channel.id).len(),
            channel.name,
        );
    }
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    server.stop().await;
    Ok(())
}
