//! The scan that runs when the sample guild is served for the first time. It shows the main
//! job at work without a second command.

use anyhow::Context as _;
use discord_local::sample;
use serde_json::Value;

use crate::follow::{Client, ScanCommand, follow, key};
use crate::up::UpCommand;

/// Clips to list: enough to see what is found, and few enough to keep what is printed next on
/// the same screen.
const SHOWN: usize = 5;

/// Scans the sample channel `#clips` through the routes at `url` and follows the scan, unless
/// the channel has been scanned before. Returns whether it was scanned now.
///
/// # Errors
/// When a route fails or the scan does.
pub(crate) async fn first_scan(up: &UpCommand, url: &str) -> anyhow::Result<bool> {
    let command = ScanCommand {
        guild: sample::GUILD_ID.to_string(),
        channel: sample::CLIPS_ID.to_string(),
        backfill: false,
        max_messages: None,
        url: url.to_owned(),
        data: up.data.clone(),
        show: SHOWN,
        picture: None,
    };
    let client = Client::new(url.to_owned(), key(&command)?)?;
    if was_scanned(&client, &command).await? {
        return Ok(false);
    }
    println!("\nScanning #clips of the sample guild:\n");
    let scan_id = client.start(&command).await?;
    follow(&client, &command, &scan_id).await?;
    Ok(true)
}

async fn was_scanned(client: &Client, command: &ScanCommand) -> anyhow::Result<bool> {
    let (guild, channel) = (&command.guild, &command.channel);
    let path = format!("/api/guilds/{guild}/channels/{channel}/scan-status");
    let status: Value = client.get(&path).await.context("the scan status")?;
    Ok(!status["status"].is_null())
}
