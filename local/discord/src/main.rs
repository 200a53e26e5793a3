//! `discord-local`: the server as a program.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use discord_local::{Options, Server, sample};
use tokio::signal::unix::{SignalKind, signal};

/// A small Discord-compatible server with a sample guild, for development and tests.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Address to listen on: a port, or ADDRESS:PORT. Port 0 picks a free port.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8078", value_parser = listen)]
    listen: SocketAddr,
    /// Extra host name to accept in requests, besides localhost and the address above. May
    /// be repeated.
    #[arg(long = "host-name", value_name = "NAME")]
    host_names: Vec<String>,
    /// Bot token to accept.
    #[arg(long, default_value = "sample-bot-token")]
    token: String,
    /// Random seed for the messages of the sample guild.
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
    whole.parse().map_err(|_| {
        "expected a port such as 8078, or an address such as 127.0.0.1:8078".to_owned()
    })
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: cannot start the server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    // Installed before the server starts, so an early signal does not interrupt the start.
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
