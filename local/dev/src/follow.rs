//! `dev scan`: starts a scan and follows it until its clips are listed.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::config::Environment;

use crate::address::service_url;
use crate::clip_table::ClipTable;
use crate::keys::Keys;
use crate::scan_bar::ScanBar;
use crate::up::{DATA, LISTEN};

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
    /// Where the routes are served: a port, or an address with one.
    #[arg(long, default_value = LISTEN)]
    pub url: String,
    /// The data folder of the system there, which has its key. TRAWL_API_KEY goes before it.
    #[arg(long, default_value = DATA)]
    pub data: PathBuf,
}

/// # Errors
/// When the system cannot be reached or the scan fails.
pub async fn scan(command: ScanCommand) -> anyhow::Result<()> {
    let client = Client {
        http: shared::http_client()?,
        url: service_url(&command.url).map_err(|wrong| anyhow!("--url: {wrong}"))?,
        key: key(&command)?,
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
    follow(&client, &command, &scan_id).await
}

/// What the routes are asked with.
fn key(command: &ScanCommand) -> anyhow::Result<String> {
    if let Some(key) = Environment::process().text("TRAWL_API_KEY") {
        return Ok(key.trim().to_owned());
    }
    let Some(keys) = Keys::read(&command.data)? else {
        bail!(
            "there is no key in {}: set TRAWL_API_KEY, or name the data folder of the system \
             with --data",
            command.data.display()
        );
    };
    Ok(keys.api_key)
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

async fn follow(client: &Client, command: &ScanCommand, scan_id: &str) -> anyhow::Result<()> {
    let mut bar = ScanBar::new(&channel_name(client, command).await, Clock::system());
    let (mut last_id, mut clips) = ("0".to_owned(), ClipTable::default());
    loop {
        let path = format!("/api/scans/stream/{scan_id}?lastId={last_id}");
        let seen = client.send(client.http.get(client.path(&path))).await?;
        if seen["reset"] == true {
            clips.clear();
        }
        last_id = seen["lastId"].as_str().unwrap_or("0").to_owned();
        let events = seen["events"].as_array().map_or(&[][..], Vec::as_slice);
        let found = events
            .iter()
            .filter_map(|event| event["data"]["clips"].as_array());
        found.flatten().for_each(|clip| clips.add(clip));
        let state = &seen["currentState"];
        bar.show(state);
        match state["status"].as_str() {
            // Events may follow the state by a page.
            Some("SUCCEEDED") if events.is_empty() => {
                bar.end();
                print!("{}", clips.text(state["clipsFound"].as_u64().unwrap_or(0)));
                if let Some(words) = how_far(command, state) {
                    println!("{words}");
                }
                return Ok(());
            }
            Some("FAILED") => {
                bar.end();
                bail!(
                    "the scan failed: {}",
                    state["error"].as_str().unwrap_or("no reason given")
                );
            }
            Some("CANCELLED") => {
                bar.end();
                bail!("the scan was cancelled");
            }
            _ => {}
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// `#name`; the id where the name cannot be had.
async fn channel_name(client: &Client, command: &ScanCommand) -> String {
    let (guild, channel) = (&command.guild, &command.channel);
    let path = format!("/api/guilds/{guild}/channels/{channel}");
    let told = client.send(client.http.get(client.path(&path))).await.ok();
    let name = told.as_ref().and_then(|told| told["name"].as_str());
    name.map_or_else(|| channel.clone(), |name| format!("#{name}"))
}

/// Whether there is more of the channel, if the reply tells.
fn how_far(command: &ScanCommand, state: &Value) -> Option<String> {
    match state["reachedStart"].as_bool()? {
        true => Some("The channel's beginning was reached.".to_owned()),
        false if command.backfill => {
            Some("Older messages remain; run it again to go on.".to_owned())
        }
        false => {
            Some("Older messages remain; run it again with --backfill to read them.".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_a_scan_came_is_said_if_it_is_known() {
        let command = |backfill| ScanCommand {
            guild: String::new(),
            channel: String::new(),
            backfill,
            max_messages: None,
            url: String::new(),
            data: PathBuf::new(),
        };
        let words = |backfill, state: Value| how_far(&command(backfill), &state);
        let reached = words(false, json!({ "reachedStart": true }));
        assert_eq!(
            reached.as_deref(),
            Some("The channel's beginning was reached.")
        );
        let remain = |backfill| words(backfill, json!({ "reachedStart": false })).unwrap();
        assert!(remain(false).contains("--backfill") && !remain(true).contains("--backfill"));
        assert_eq!(words(false, json!({ "reachedStart": null })), None);
        assert_eq!(words(false, json!({})), None);
    }
}
