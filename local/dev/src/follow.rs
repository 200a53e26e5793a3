//! `dev scan`: starts a scan and follows it until its clips are listed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::config::Environment;

use crate::address::service_url;
use crate::clip_table::ClipTable;
use crate::defaults::{DATA, LISTEN};
use crate::keys::Keys;
use crate::picture::{COLUMNS, Picture};
use crate::say::say;
use crate::scan_bar::ScanBar;

/// Interval between polls of the scan.
const INTERVAL: Duration = Duration::from_millis(250);

/// Scan a channel, follow the progress and list the clips it finds.
#[derive(Args, Clone, Debug)]
pub struct ScanCommand {
    /// Guild ID.
    #[arg(long, value_name = "ID")]
    pub guild: String,
    /// Channel ID.
    #[arg(long, value_name = "ID")]
    pub channel: String,
    /// Scan backwards through older messages to the beginning of the channel.
    #[arg(long)]
    pub backfill: bool,
    /// Stop after listing this many messages.
    #[arg(long, value_name = "N")]
    pub max_messages: Option<u64>,
    /// Address of the API: a port, ADDRESS:PORT or a URL.
    #[arg(long, default_value = LISTEN)]
    pub url: String,
    /// Data folder of the running system, which holds its API key. TRAWL_API_KEY, if set,
    /// is used instead.
    #[arg(long, value_name = "DIR", default_value = DATA)]
    pub data: PathBuf,
    /// How many clips to list at the end, from 0.
    #[arg(long, default_value_t = 20)]
    pub show: usize,
    /// Also draw the scan as an animated SVG into this file, like the one in the README.
    #[arg(long, value_name = "FILE")]
    pub picture: Option<PathBuf>,
}

impl ScanCommand {
    /// As a reader of the picture would type it.
    fn line(&self) -> String {
        let (guild, channel) = (&self.guild, &self.channel);
        format!("cargo run -p dev -- scan --guild {guild} --channel {channel}")
    }
}

/// # Errors
/// When the system cannot be reached or the scan fails.
pub async fn scan(command: ScanCommand) -> anyhow::Result<()> {
    let url = service_url(&command.url).map_err(|wrong| anyhow!("--url: {wrong}"))?;
    let client = Client::new(url, key(&command.data)?)?;
    let scan_id = client.start(&command).await?;
    follow(&client, &command, &scan_id).await
}

/// What the routes are asked with.
pub(crate) fn key(data: &Path) -> anyhow::Result<String> {
    if let Some(key) = Environment::process().text("TRAWL_API_KEY") {
        return Ok(key.trim().to_owned());
    }
    let Some(keys) = Keys::read(data)? else {
        bail!(
            "there is no key in {}: set TRAWL_API_KEY, or name the data folder of the system \
             with --data",
            data.display()
        );
    };
    Ok(keys.api_key)
}

/// The routes of one system, called with one key.
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    key: String,
}

impl Client {
    pub fn new(url: String, key: String) -> anyhow::Result<Client> {
        let http = shared::http_client()?;
        Ok(Client { http, url, key })
    }

    fn path(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.send(self.http.get(self.path(path))).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(self.http.post(self.path(path)).json(body)).await
    }

    /// Reads text that is not JSON.
    pub async fn text(&self, path: &str) -> anyhow::Result<String> {
        let response = self.ask(self.http.get(self.path(path))).await?;
        if !response.status().is_success() {
            return Err(refusal(response).await);
        }
        response.text().await.context("the reply ended early")
    }

    pub async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(self.http.put(self.path(path)).json(body)).await
    }

    /// Starts the scan and returns its id.
    pub async fn start(&self, command: &ScanCommand) -> anyhow::Result<String> {
        let mut options = json!({});
        if let Some(most) = command.max_messages {
            options["maxMessages"] = json!(most);
        }
        let mode = match command.backfill {
            true => "backfill",
            false => "forward",
        };
        let body = json!({
            "guildId": command.guild, "channelId": command.channel, "scanMode": mode,
            "options": options,
        });
        let created = self.post("/api/jobs/scan", &body).await?;
        let scan_id = created["scanId"].as_str();
        let scan_id = scan_id.context("the reply contains no scan ID")?;
        let note = match created["duplicate"] == true {
            true => " (already under way)",
            false => "",
        };
        say(&format!("scan {scan_id}{note}\n"));
        Ok(scan_id.to_owned())
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
        let response = self.ask(request).await?;
        if response.status() == reqwest::StatusCode::NO_CONTENT {
            return Ok(Value::Null);
        }
        if !response.status().is_success() {
            return Err(refusal(response).await);
        }
        response.json().await.context("the reply is not JSON")
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> anyhow::Result<reqwest::Response> {
        let request = request.bearer_auth(&self.key).build()?;
        loop {
            let copy = request.try_clone().context("the request is a stream")?;
            let response = self.http.execute(copy).await.with_context(|| {
                format!(
                    "{} does not answer: is `cargo run -p dev` running?",
                    self.url
                )
            })?;
            match wait_of(&response) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Ok(response),
            }
        }
    }
}

/// Why a route refused a request.
async fn refusal(response: reqwest::Response) -> anyhow::Error {
    let status = response.status();
    let body: Value = response.json().await.unwrap_or_default();
    let reason = body["detail"].as_str().unwrap_or("no reason given");
    anyhow!("{status}: {reason}")
}

/// How long to wait before the request is sent again, if the rate limit has refused it.
fn wait_of(response: &reqwest::Response) -> Option<Duration> {
    let is_refused = response.status() == reqwest::StatusCode::TOO_MANY_REQUESTS;
    let after = response.headers().get("retry-after")?.to_str().ok()?;
    let seconds: u64 = after.parse().ok()?;
    // Longer waits are for the person at the keyboard to decide.
    (is_refused && seconds <= 90).then(|| Duration::from_secs(seconds.max(1)))
}

/// Shows how far the scan is until it has ended, and then its clips.
///
/// # Errors
/// When the system cannot be reached, and when the scan failed or was cancelled.
pub(crate) async fn follow(
    client: &Client,
    command: &ScanCommand,
    scan_id: &str,
) -> anyhow::Result<()> {
    let clock = Clock::system();
    let began = clock.elapsed();
    let mut bar = ScanBar::new(&channel_name(client, command).await, clock.clone());
    let mut picture = Picture::default();
    let mut drawn = None;
    if command.picture.is_some() {
        let (hidden, terminal) = bar.into_memory(COLUMNS);
        (bar, drawn) = (hidden, Some(terminal));
    }
    let (mut last_id, mut clips) = ("0".to_owned(), ClipTable::new(command.show));
    loop {
        let path = format!("/api/scans/stream/{scan_id}?lastId={last_id}");
        let seen = client.get(&path).await?;
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
        if let Some(terminal) = &drawn {
            let at = clock.elapsed().saturating_sub(began);
            picture.add(at, &terminal.contents());
        }
        match state["status"].as_str() {
            // Events may follow the state by a page.
            Some("SUCCEEDED") if events.is_empty() => {
                bar.end();
                let mut text = clips.text(state["clipsFound"].as_u64().unwrap_or(0));
                if let Some(words) = how_far(command, state) {
                    text.push_str(words);
                    text.push('\n');
                }
                say(&text);
                if let Some(path) = &command.picture {
                    picture.command = command.line();
                    picture.text = text;
                    picture.write(path)?;
                }
                return Ok(());
            }
            Some("FAILED") => {
                bar.end();
                bail!(
                    "the scan failed: {}",
                    state["errorMessage"].as_str().unwrap_or("no reason given")
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
    let told = client.get(&path).await.ok();
    let name = told.as_ref().and_then(|told| told["name"].as_str());
    name.map_or_else(|| channel.clone(), |name| format!("#{name}"))
}

/// Whether there is more of the channel, if the reply tells.
fn how_far(command: &ScanCommand, state: &Value) -> Option<&'static str> {
    Some(match state["reachedStart"].as_bool()? {
        true => "The scan reached the start of the channel.",
        false if command.backfill => "Older messages remain. Run the command again to read on.",
        false => "Older messages remain. Run the command again with --backfill to read them.",
    })
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
            show: 20,
            picture: None,
        };
        let words = |backfill, state: Value| how_far(&command(backfill), &state);
        let reached = words(false, json!({ "reachedStart": true }));
        assert_eq!(reached, Some("The scan reached the start of the channel."));
        let remain = |backfill| words(backfill, json!({ "reachedStart": false })).unwrap();
        assert!(remain(false).contains("--backfill") && !remain(true).contains("--backfill"));
        assert_eq!(words(false, json!({ "reachedStart": null })), None);
        assert_eq!(words(false, json!({})), None);
    }
}
