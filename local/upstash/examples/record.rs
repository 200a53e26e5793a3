//! Compares the embedded engine with a real Redis over RESP.
//!
//! ```text
//! REDIS=127.0.0.1:6399 cargo run -p upstash-local --example record -- random 50000 [seed]
//! REDIS=127.0.0.1:6399 cargo run -p upstash-local --example record -- compat tests/compat
//! ```
//!
//! `random` sends the same generated commands to both and prints each difference in the
//! replies. With `BEHIND=redis://…`, it tests the endpoint in front of a second server
//! instead of the embedded engine. `compat` sends the commands of each `.txt` file to the
//! real server and records its replies in the file. The ordinary tests replay those files
//! without a server. The real database is flushed, so use a server without other data.

#[path = "support/generate.rs"]
mod generate;
#[path = "support/resp.rs"]
mod resp;
#[path = "support/shapes.rs"]
mod shapes;
#[path = "../../../tests/it/upstash/conformance/transcript.rs"]
mod transcript;

use anyhow::{Context, bail};
use serde_json::Value;
use upstash_local::{Options, Server, Store};

/// The embedded engine, queried over HTTP for raw RESP2.
struct Local {
    server: Server,
    client: reqwest::Client,
}

impl Local {
    async fn start() -> anyhow::Result<Self> {
        let store = match std::env::var("BEHIND") {
            Ok(url) => Store::Redis { url: url.parse()? },
            Err(_) => Store::Memory,
        };
        let server = Server::start(Options {
            store,
            ..Options::default()
        })
        .await?;
        Ok(Self {
            server,
            client: reqwest::Client::new(),
        })
    }

    async fn run(&self, commands: &[Vec<String>]) -> anyhow::Result<Vec<Value>> {
        let response = self
            .client
            .post(format!("{}/pipeline", self.server.url()))
            .bearer_auth(self.server.token())
            .header("upstash-response-format", "resp2")
            .body(serde_json::to_vec(commands)?)
            .send()
            .await?;
        let bytes = response.bytes().await?;
        let mut rest: &[u8] = &bytes;
        let mut replies = Vec::new();
        while !rest.is_empty() {
            replies.push(resp::read(&mut rest)?);
        }
        Ok(replies)
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // The HTTP client needs a TLS provider even for plain HTTP.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let address =
        std::env::var("REDIS").context("set REDIS=host:port to the address of the real server")?;
    let mut real = resp::Connection::open(&address)?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["random", count, seed @ ..] => {
            let seed = seed.first().map_or(Ok(1), |seed| seed.parse())?;
            compare(&mut real, count.parse()?, seed).await
        }
        ["compat", folder] => record(&mut real, folder),
        _ => bail!("usage: record random COUNT [SEED] | record compat FOLDER"),
    }
}

async fn compare(real: &mut resp::Connection, count: usize, seed: u64) -> anyhow::Result<()> {
    let local = Local::start().await?;
    let mut generator = generate::Generator::new(seed);
    let mut n_different = 0;
    let mut done = 0;
    while done < count {
        real.run(&["FLUSHALL".to_owned()])?;
        local.run(&[vec!["FLUSHALL".to_owned()]]).await?;
        let commands: Vec<Vec<String>> = (0..200).map(|_| generator.command()).collect();
        done += commands.len();
        let ours = local.run(&commands).await?;
        let mut agreed = true;
        for (command, ours) in commands.iter().zip(ours) {
            let theirs = real.run(command)?;
            if !transcript::same(command, &theirs, &ours) {
                n_different += 1;
                if n_different <= 40 {
                    println!("{command:?}\n  real  {theirs}\n  local {ours}");
                }
                // After the first difference everything differs, so the rest of the round
                // is meaningless.
                agreed = false;
                break;
            }
        }
        if agreed && let Some(difference) = state_difference(real, &local).await? {
            n_different += 1;
            println!("after the round: {difference}\n{commands:?}");
        }
    }
    println!("{done} commands, {n_different} differences");
    local.server.stop().await;
    if n_different > 0 {
        bail!("the engines differ");
    }
    Ok(())
}

/// Compares the remaining keys and their types.
async fn state_difference(
    real: &mut resp::Connection,
    local: &Local,
) -> anyhow::Result<Option<String>> {
    let everything = vec!["KEYS".to_owned(), "*".to_owned()];
    let ours = local
        .run(std::slice::from_ref(&everything))
        .await?
        .remove(0);
    let theirs = real.run(&everything)?;
    let same = transcript::same(&everything, &theirs, &ours);
    Ok((!same).then(|| format!("keys differ\n  real  {theirs}\n  local {ours}")))
}

/// Rewrites each file with the replies of the real server.
fn record(real: &mut resp::Connection, folder: &str) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        real.run(&["FLUSHALL".to_owned()])?;
        real.run(&["SCRIPT".to_owned(), "FLUSH".to_owned()])?;
        let text = std::fs::read_to_string(&path)?;
        let mut out = String::new();
        for line in text.lines().filter(|line| !line.starts_with("< ")) {
            out.push_str(line);
            out.push('\n');
            if let Some(command) = transcript::command(line) {
                let reply = real.run(&command?)?;
                out.push_str(&format!("< {reply}\n"));
            }
        }
        std::fs::write(&path, out)?;
        println!("recorded {}", path.display());
    }
    Ok(())
}
