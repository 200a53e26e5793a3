//! Starts a real Redis for the duration of a run when none is named.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use shared::clock::Clock;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// How long Redis may take to start listening.
const PATIENCE: Duration = Duration::from_secs(10);

/// A `redis-server` without persistence. It is killed when this value is dropped.
pub struct RedisServer {
    pub url: String,
    _child: Child,
}

impl RedisServer {
    /// # Errors
    /// If `redis-server` is not installed or does not start.
    pub async fn start(clock: &Clock) -> anyhow::Result<RedisServer> {
        let port = free_port().context("cannot find a free port")?;
        let mut child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context(
                "`redis-server` cannot be started: install it \
                 (Debian: `apt-get install redis-server`), or name a running one with --redis",
            )?;
        let deadline = clock.deadline(PATIENCE);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .await
            .is_err()
        {
            if let Some(status) = child.try_wait()? {
                bail!("`redis-server` ended at once: {status}");
            }
            if deadline.remaining().is_zero() {
                bail!("`redis-server` does not listen on port {port}");
            }
            clock.pause(Duration::from_millis(20)).await;
        }
        Ok(RedisServer {
            url: format!("redis://127.0.0.1:{port}"),
            _child: child,
        })
    }
}

fn free_port() -> std::io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
