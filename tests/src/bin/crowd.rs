//! Eight drainers and four enqueuers share one queue and are killed at random while the
//! network fails. Their history is checked afterwards.
//!
//! `crowd [--seconds 60] [--seed 1]` runs all of them. `crowd endpoint LISTEN CONTROL`,
//! `crowd drainer NAME URL FOLDER` and `crowd enqueuer NAME URL FOLDER SECONDS` are the
//! processes it starts.

use std::path::Path;
use std::time::Duration;

use integration::NODE_TOKEN;
use integration::history::{crowd, worker};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["endpoint", listen, control] => {
            let _server = upstash_local::Server::start(upstash_local::Options {
                listen: listen.parse()?,
                control: Some(control.parse()?),
                tokens: vec![NODE_TOKEN.to_owned()],
                ..upstash_local::Options::default()
            })
            .await?;
            println!("ready");
            std::future::pending().await
        }
        ["drainer", name, url, folder] => worker::drain(name, url, Path::new(folder)).await,
        ["enqueuer", name, url, folder, seconds] => {
            let time = Duration::from_secs(seconds.parse()?);
            worker::enqueue(name, url, Path::new(folder), time).await
        }
        _ => run(&words).await,
    }
}

async fn run(words: &[String]) -> anyhow::Result<()> {
    let mut plan = crowd::Plan {
        program: std::env::current_exe()?,
        time: Duration::from_secs(60),
        seed: 1,
    };
    for pair in words.chunks(2) {
        match pair {
            [name, value] if name == "--seconds" => {
                plan.time = Duration::from_secs(value.parse()?);
            }
            [name, value] if name == "--seed" => plan.seed = value.parse()?,
            _ => anyhow::bail!("expected `--seconds N` and `--seed N`"),
        }
    }
    let report = plan.run().await?;
    println!("{report:#?}");
    anyhow::ensure!(
        report.broken.is_empty(),
        "the queue broke some of its guarantees"
    );
    Ok(())
}
