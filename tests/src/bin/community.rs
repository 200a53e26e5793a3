//! Scans a whole community: 100 channels and 40 threads with 500,000 messages together, by
//! one request. Prints time, memory and billed commands, and compares what the list shows
//! with what the channels hold.
//!
//! ```sh
//! cargo run --release -p integration --bin community -- 500000
//! ```

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use discord_local::Guild;
use discord_local::guild::{AttachmentSpec, ChannelSpec, MessageSpec};
use integration::TestApp;
use serde_json::{Value, json};

const GUILD: u64 = 1_200_000_000_000_000_000;
const CHANNELS: u64 = 100;
const THREADS: u64 = 40;
/// 2024-01-01.
const FIRST_MS: i64 = 1_704_067_200_000;
/// Every tenth message has a video.
const EVERY: usize = 10;

fn guild(messages: usize) -> Guild {
    let mut guild = Guild::empty(GUILD);
    let each = messages / (CHANNELS + THREADS) as usize;
    for n in 1..=CHANNELS + THREADS {
        let (id, name) = (GUILD + n, format!("c{n}"));
        let parent = GUILD + 1 + n % CHANNELS;
        guild.add_channel(match n {
            ..=CHANNELS => ChannelSpec::text(id, &name),
            n if n % 2 == 0 => ChannelSpec::thread(id, parent, &name),
            _ => ChannelSpec::thread(id, parent, &name).archived_at_ms(FIRST_MS + n as i64),
        });
        // The channels live side by side, so that their clips mix.
        guild.fill(id, each, |i| {
            let at = FIRST_MS + i as i64 * 600_000 + n as i64;
            let spec = MessageSpec::text(&format!("message {i} of {n}")).at_ms(at);
            match i % EVERY {
                0 => spec.attachment(AttachmentSpec::video(&format!("clip_{i}.mp4"))),
                _ => spec,
            }
        });
    }
    guild
}

async fn counts(app: &TestApp, scan: &str) -> Value {
    let path = format!("/api/guilds/{GUILD}/scans/{scan}");
    app.get(&path).await.json["counts"].clone()
}

/// The messages of all clips that the list shows, page by page.
async fn listed(app: &TestApp) -> anyhow::Result<(BTreeSet<String>, usize, u64)> {
    let (mut found, mut pages, mut cursor) = (BTreeSet::new(), 0, String::new());
    app.endpoint.reset_meter();
    loop {
        let path = format!("/api/guilds/{GUILD}/clips?limit=50&cursor={cursor}");
        let page = app.get(&path).await.json;
        let clips = page["clips"].as_array().context("no clips")?;
        for clip in clips {
            let new = found.insert(clip["messageId"].to_string() + &clip["channelId"].to_string());
            ensure!(new, "listed twice: {clip}");
        }
        pages += 1;
        match page["nextCursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return Ok((found, pages, app.endpoint.meter().total)),
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let messages = std::env::args().nth(1);
    let messages: usize = messages.as_deref().unwrap_or("500000").parse()?;
    let guild = guild(messages);
    let clips: usize = guild
        .channels()
        .map(|channel| guild.clips(channel.id).len())
        .sum();
    let read: usize = guild
        .channels()
        .map(|channel| guild.message_count(channel.id))
        .sum();
    let app = TestApp::with_guild(guild).await;
    let before = memory()?;
    app.endpoint.reset_meter();
    let started = Instant::now();
    let body = json!({ "options": { "includeThreads": "all" } });
    let reply = app.post(&format!("/api/guilds/{GUILD}/scan"), &body).await;
    ensure!(reply.status == 202, "{}", reply.json);
    let (requested, scan) = (started.elapsed(), reply.text("/scanId").to_owned());
    let mut drains = 0;
    while app.job(&scan).await["finishedAt"].is_null() {
        ensure!(
            drains < 1000,
            "it does not end: {}",
            counts(&app, &scan).await
        );
        app.drain().await;
        app.advance(Duration::from_secs(61));
        drains += 1;
    }
    let (took, billed) = (started.elapsed(), app.endpoint.meter().total);
    println!(
        "guild         {read} messages, {clips} clips, {}",
        counts(&app, &scan).await
    );
    println!("request       {:.0} ms", requested.as_secs_f64() * 1000.0);
    println!(
        "scan          {:.1} s in {drains} drains",
        took.as_secs_f64()
    );
    println!(
        "memory        {} MiB more, with the database and what the sample server answers",
        (memory()? - before) / 1024
    );
    println!(
        "billed        {billed}, {:.1} a thousand messages",
        billed as f64 * 1000.0 / read as f64
    );
    let (found, pages, billed) = listed(&app).await?;
    println!(
        "list          {} clips on {pages} pages of 50, {:.2} billed a page",
        found.len(),
        billed as f64 / pages as f64
    );
    ensure!(
        found.len() == clips,
        "the list shows {} of {clips} clips",
        found.len()
    );
    app.leaves_any_jobs();
    Ok(())
}

/// The most memory that the process had at any time, in KiB.
fn memory() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let text = line.context("the system does not tell")?;
    Ok(text.trim().trim_end_matches(" kB").parse()?)
}
