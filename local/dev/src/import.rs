//! `dev import`: uploads a JSON file of DiscordChatExporter, has it scanned, and follows the
//! scan.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use anyhow::{Context as _, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde_json::{Value, json};
use shared::chat_export::{Checkpoint, Reader};

use crate::address::service_url;
use crate::defaults::{DATA, LISTEN};
use crate::follow::{Client, ScanCommand, follow, key};
use crate::say::say;

/// Scan a JSON file that DiscordChatExporter has saved, without a bot.
#[derive(Args, Clone, Debug)]
pub struct ImportCommand {
    /// The file.
    pub file: PathBuf,
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
}

/// # Errors
/// When the file is no export, the system cannot be reached or the scan fails.
pub async fn import(command: ImportCommand) -> anyhow::Result<()> {
    let url = service_url(&command.url).map_err(|wrong| anyhow!("--url: {wrong}"))?;
    let (guild, channel) = places(&command)?;
    let scan = ScanCommand {
        guild,
        channel,
        backfill: false,
        max_messages: None,
        url: url.clone(),
        data: command.data.clone(),
        show: command.show,
        picture: None,
    };
    let client = Client::new(url, key(&scan.data)?)?;
    let scan_id = upload(&client, &command, &scan.guild).await?;
    follow(&client, &scan, &scan_id).await
}

/// The guild and the channel that the file is of. They stand before its messages.
fn places(command: &ImportCommand) -> anyhow::Result<(String, String)> {
    let mut file = open(command)?;
    let mut reader = Reader::at(Checkpoint::default());
    let mut piece = vec![0; 64 * 1024];
    loop {
        let length = file.read(&mut piece)?;
        let mut rest = &piece[..length];
        while !rest.is_empty() {
            let (used, _) = reader.read(rest)?;
            rest = &rest[used..];
        }
        let place = reader.checkpoint();
        if let (Some(guild), Some(channel)) = (&place.guild_id, &place.channel_id) {
            return Ok((guild.clone(), channel.clone()));
        }
        if length == 0 {
            reader.finish()?;
            bail!("the export names no guild and channel");
        }
    }
}

fn open(command: &ImportCommand) -> anyhow::Result<File> {
    let file = File::open(&command.file);
    file.with_context(|| command.file.display().to_string())
}

/// Uploads the file and returns the id of the scan.
async fn upload(client: &Client, command: &ImportCommand, guild: &str) -> anyhow::Result<String> {
    let mut file = open(command)?;
    let size = file.metadata()?.len();
    let begun = json!({ "guildId": guild, "sizeBytes": size });
    let upload = client.post("/api/uploads", &begun).await?;
    let id = upload["uploadId"].as_str();
    let id = id.context("the reply contains no upload ID")?;
    let part_bytes = upload["partBytes"].as_u64();
    let part_bytes = part_bytes.context("the reply names no size of parts")?;
    let parts = size.div_ceil(part_bytes.max(1));
    for number in 1..=parts {
        let from = (number - 1) * part_bytes;
        let mut part = vec![0; usize::try_from(part_bytes.min(size - from))?];
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(&mut part)?;
        let data = json!({ "data": STANDARD.encode(&part) });
        let path = format!("/api/uploads/{id}/parts/{number}");
        client.put(&path, &data).await?;
        say(&format!("\ruploaded part {number} of {parts}"));
    }
    say("\n");
    let path = format!("/api/uploads/{id}/finish");
    let finished: Value = client.post(&path, &json!({})).await?;
    let scan_id = finished["scanId"].as_str();
    Ok(scan_id.context("the reply contains no scan ID")?.to_owned())
}
