//! The scan that runs when the sample guild is served for the first time. It shows the main
//! job at work without a second command.

use std::path::Path;

use anyhow::Context as _;
use discord_local::sample;
use serde_json::Value;

use crate::follow::{Client, ScanCommand, follow, key};
use crate::say::say;

/// Clips to list: enough to see what is found, and few enough to keep what is printed next on
/// the same screen.
const SHOWN: usize = 5;

/// Scans the sample channel `#clips` through the routes at `url`, whose keys are in the folder
/// `data`, and follows the scan. Does nothing if the channel has been scanned before.
///
/// # Errors
/// When a route fails or the scan does.
pub(crate) async fn first_scan(url: &str, data: &Path) -> anyhow::Result<()> {
    let command = ScanCommand {
        guild: sample::GUILD_ID.to_string(),
        channel: sample::CLIPS_ID.to_string(),
        backfill: false,
        max_messages: None,
        url: url.to_owned(),
        data: data.to_owned(),
        show: SHOWN,
        picture: None,
    };
    let client = Client::new(url.to_owned(), key(data)?)?;
    if was_scanned(&client, &command).await? {
        return Ok(());
    }
    say("\nScanning #clips of the sample guild:\n\n");
    let scan_id = client.start(&command).await?;
    follow(&client, &command, &scan_id).await
}

async fn was_scanned(client: &Client, command: &ScanCommand) -> anyhow::Result<bool> {
    let (guild, channel) = (&command.guild, &command.channel);
    let path = format!("/api/guilds/{guild}/channels/{channel}/scan-status");
    let status: Value = client.get(&path).await.context("the scan status")?;
    Ok(!status["status"].is_null())
}
