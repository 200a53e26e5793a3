//! `dev scan`: starts a scan and follows it until its clips are listed.

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use shared::config::Environment;

use crate::settings::Settings;

/// How often the scan is asked after.
const INTERVAL: Duration = Duration::from_millis(250);

/// Scan a channel and follow the scan to its clips.
#[derive(Args, Clone, Debug)]
pub struct ScanCommand {
    /// The guild's id.
    #[arg(long)]
    pub guild: String,
    /// The channel's id.
    #[arg(long)]
    pub channel: String,
    /// Read backwards to the channel's start.
    #[arg(long)]
    pub backfill: bool,
    /// Messages to list at most.
    #[arg(long)]
    pub max_messages: Option<u64>,
    /// Where the routes are served.
    #[arg(long, default_value = "http://127.0.0.1:3000")]
    pub url: String,
}

/// # Errors
/// When the system cannot be reached or the scan fails.
pub async fn scan(command: ScanCommand) -> anyhow::Result<()> {
    let settings = Settings::read(&Environment::process())?;
    let client = Client {
        http: shared::http_client()?,
        url: command.url.trim_end_matches('/').to_owned(),
        key: settings.auth.api_key.value().to_string(),
    };
    let mut options = json!({});
    if let Some(most) = command.max_messages {
        options["maxMessages"] = json!(most);
    }
    let mode = if command.backfill {
        "backfill"
    } else {
        "forward"
    };
    let body = json!({
        "guildId": command.guild, "channelId": command.channel, "scanMode": mode, "options": options,
    });
    let created = client
        .send(client.http.post(client.path("/api/jobs/scan")).json(&body))
        .await?;
    let scan_id = created["scanId"]
        .as_str()
        .context("the reply names no scan")?
        .to_owned();
    println!(
        "scan {scan_id}{}",
        if created["duplicate"] == true {
            " (already under way)"
        } else {
            ""
        }
    );
    follow(&client, &scan_id).await
}

struct Client {
    http: reqwest::Client,
    url: String,
    key: String,
}

impl Client {
    fn path(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
        let response = request
            .bearer_auth(&self.key)
            .send()
            .await
            .with_context(|| {
                format!(
                    "{} does not answer: is `cargo run -p dev` running?",
                    self.url
                )
            })?;
        let status = response.status();
        let body: Value = response.json().await.context("the reply is not JSON")?;
        if !status.is_success() {
            bail!(
                "{status}: {}",
                body["detail"].as_str().unwrap_or("no reason given")
            );
        }
        Ok(body)
    }
}

async fn follow(client: &Client, scan_id: &str) -> anyhow::Result<()> {
    let bar = ProgressBar::new(1000);
    bar.set_style(ProgressStyle::with_template(
        "{bar:40} {percent:>3}%  {msg}",
    )?);
    let (mut last_id, mut clips) = ("0".to_owned(), Vec::new());
    loop {
        let path = format!("/api/scans/stream/{scan_id}?lastId={last_id}");
        let seen = client.send(client.http.get(client.path(&path))).await?;
        last_id = seen["lastId"].as_str().unwrap_or("0").to_owned();
        let events = seen["events"].as_array().cloned().unwrap_or_default();
        for event in &events {
            clips.extend(
                event["data"]["clips"]
                    .as_array()
                    .cloned()
                    .unwrap_or_default(),
            );
        }
        let state = &seen["currentState"];
        let percent = state["progress"]["percent"].as_f64().unwrap_or(0.0);
        bar.set_position((percent * 10.0) as u64);
        bar.set_message(format!(
            "{} messages, {} clips, {}",
            state["progress"]["current"],
            state["clipsFound"],
            state["status"].as_str().unwrap_or("")
        ));
        match state["status"].as_str() {
            // Events may follow the state by a page.
            Some("SUCCEEDED") if events.is_empty() => {
                bar.finish();
                list(&clips, state["clipsFound"].as_u64().unwrap_or(0));
                return Ok(());
            }
            Some("FAILED") => {
                bar.abandon();
                bail!(
                    "the scan failed: {}",
                    state["error"].as_str().unwrap_or("no reason given")
                );
            }
            Some("CANCELLED") => {
                bar.abandon();
                bail!("the scan was cancelled");
            }
            _ => {}
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

fn list(clips: &[Value], found: u64) {
    for clip in clips {
        let seconds = clip["durationSeconds"].as_f64();
        println!(
            "{}  {:>8}  {}",
            clip["messageId"].as_str().unwrap_or(""),
            seconds.map_or("?".to_owned(), |seconds| format!("{seconds:.1} s")),
            clip["filename"]
                .as_str()
                .or(clip["url"].as_str())
                .unwrap_or(""),
        );
    }
    println!("{found} clips found");
}
