//! Measures requests per second over HTTP with 16 connections: in memory, on SQLite, or
//! in front of a real Redis.
//!
//! ```text
//! cargo run --release -p upstash-local --example bench -- [SECONDS] [redis://…]
//! ```
//!
//! The HTTP client is hand-written, because a general-purpose client would dominate the
//! result.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use upstash_local::{Durability, Options, Server, Store};

const CONNECTIONS: usize = 16;

/// Sends one request repeatedly and returns the number of replies.
async fn hammer(address: String, request: Vec<u8>, until: Instant) -> anyhow::Result<u64> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; 16 * 1024];
    let mut n = 0;
    while Instant::now() < until {
        stream.write_all(&request).await?;
        let mut filled = 0;
        loop {
            let read = stream.read(&mut buffer[filled..]).await?;
            anyhow::ensure!(read > 0, "the connection was closed");
            filled += read;
            // Every reply here is a single short JSON object.
            if buffer[..filled].ends_with(b"}") {
                break;
            }
        }
        anyhow::ensure!(
            buffer.starts_with(b"HTTP/1.1 200"),
            "the request was refused"
        );
        n += 1;
    }
    Ok(n)
}

async fn measure(name: &str, store: Store, body: &str, time: Duration) -> anyhow::Result<()> {
    let server = Server::start(Options {
        store,
        ..Options::default()
    })
    .await?;
    let address = server.url().trim_start_matches("http://").to_owned();
    let request = format!(
        "POST / HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n{body}",
        server.token(),
        body.len()
    );
    let started = Instant::now();
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            tokio::spawn(hammer(
                address.clone(),
                request.clone().into_bytes(),
                started + time,
            ))
        })
        .collect();
    let mut n = 0;
    for task in tasks {
        n += task.await??;
    }
    println!(
        "{name:<28} {:>8.0} requests/s",
        n as f64 / started.elapsed().as_secs_f64()
    );
    server.stop().await;
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let seconds = std::env::args().nth(1).map_or(Ok(3), |text| text.parse())?;
    let time = Duration::from_secs(seconds);
    let set = r#"["SET","key","value"]"#;
    let get = r#"["GET","key"]"#;
    let script = r#"["EVAL","redis.call('set',KEYS[1],ARGV[1]) redis.call('get',KEYS[1]) redis.call('incr',KEYS[2]) return redis.call('get',KEYS[2])",2,"a","b","v"]"#;
    if let Some(url) = std::env::args().nth(2) {
        let store = Store::Redis { url: url.parse()? };
        measure("SET, Redis", store.clone(), set, time).await?;
        measure("GET, Redis", store.clone(), get, time).await?;
        return measure("script of 4 calls, Redis", store, script, time).await;
    }
    let folder = tempfile::tempdir()?;
    let file = |name: &str, durability| Store::File {
        path: folder.path().join(name),
        durability,
    };
    measure("SET, memory", Store::Memory, set, time).await?;
    measure("GET, memory", Store::Memory, get, time).await?;
    measure("script of 4 calls, memory", Store::Memory, script, time).await?;
    measure("SET, SQLite", file("a", Durability::Normal), set, time).await?;
    measure(
        "SET, SQLite, synced",
        file("b", Durability::Full),
        set,
        time,
    )
    .await?;
    measure(
        "script of 4 calls, SQLite",
        file("c", Durability::Normal),
        script,
        time,
    )
    .await
}
