//! `dev export`: writes clips into a file.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use crate::address::service_url;
use crate::defaults::{DATA, LISTEN};
use crate::follow::{Client, key};
use crate::say::say;

/// Interval between polls of the export.
const INTERVAL: Duration = Duration::from_millis(500);

/// Write clips into a file.
#[derive(Args, Clone, Debug)]
pub struct ExportCommand {
    /// Guild ID.
    #[arg(long, value_name = "ID")]
    pub guild: String,
    /// What the file is written in.
    #[arg(long, value_enum, default_value = "csv")]
    pub format: Format,
    /// The file. Defaults to `clips-GUILD.FORMAT` in this folder.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace the file if it exists.
    #[arg(long)]
    pub force: bool,
    /// Only clips in this channel or thread. May be repeated.
    #[arg(long = "channel", value_name = "ID")]
    pub channels: Vec<String>,
    /// Only clips of this author.
    #[arg(long, value_name = "ID")]
    pub author: Option<String>,
    /// Only clips with all of these words in the message, the title or the file's name.
    #[arg(long, value_name = "WORDS")]
    pub text: Option<String>,
    /// Only clips found in this part of a message: attachment, embed, component or forward.
    #[arg(long, value_name = "PART")]
    pub source: Option<String>,
    /// Only links to players of this provider, such as youtube.
    #[arg(long, value_name = "NAME")]
    pub provider: Option<String>,
    /// Only clips of at least this length, and those of unknown length.
    #[arg(long, value_name = "SECONDS")]
    pub min_seconds: Option<f64>,
    /// Only clips of at most this length, and those of unknown length.
    #[arg(long, value_name = "SECONDS")]
    pub max_seconds: Option<f64>,
    /// Only clips posted after this time, such as 2026-12-01T08:30:00Z.
    #[arg(long, value_name = "TIME")]
    pub after: Option<String>,
    /// Only clips posted before this time.
    #[arg(long, value_name = "TIME")]
    pub before: Option<String>,
    /// The order: newest, oldest or longest.
    #[arg(long, value_name = "ORDER")]
    pub sort: Option<String>,
    /// Address of the API: a port, ADDRESS:PORT or a URL.
    #[arg(long, default_value = LISTEN)]
    pub url: String,
    /// Data folder of the running system, which holds its API key. TRAWL_API_KEY, if set,
    /// is used instead.
    #[arg(long, value_name = "DIR", default_value = DATA)]
    pub data: PathBuf,
}

/// What a file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table, for spreadsheets.
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// One JSON array.
    Json,
}

impl Format {
    fn as_str(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Jsonl => "jsonl",
            Format::Json => "json",
        }
    }
}

impl ExportCommand {
    fn file(&self) -> PathBuf {
        let (guild, format) = (&self.guild, self.format.as_str());
        let default = || PathBuf::from(format!("clips-{guild}.{format}"));
        self.out.clone().unwrap_or_else(default)
    }

    /// What the route is sent.
    fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("format".to_owned(), self.format.as_str().into());
        let channels = (!self.channels.is_empty()).then(|| json!(self.channels));
        for (name, value) in [
            ("channelId", channels),
            ("authorId", self.author.as_ref().map(|id| json!(id))),
            ("text", self.text.as_ref().map(|text| json!(text))),
            ("source", self.source.as_ref().map(|source| json!(source))),
            ("provider", self.provider.as_ref().map(|name| json!(name))),
            ("minSeconds", self.min_seconds.map(|seconds| json!(seconds))),
            ("maxSeconds", self.max_seconds.map(|seconds| json!(seconds))),
            ("after", self.after.as_ref().map(|time| json!(time))),
            ("before", self.before.as_ref().map(|time| json!(time))),
            ("sort", self.sort.as_ref().map(|order| json!(order))),
        ] {
            body.extend(value.map(|value| (name.to_owned(), value)));
        }
        Value::Object(body)
    }
}

/// # Errors
/// When the system cannot be reached, the export fails, or the file cannot be written.
pub async fn export(command: ExportCommand) -> anyhow::Result<()> {
    let url = service_url(&command.url).map_err(|wrong| anyhow!("--url: {wrong}"))?;
    let file = command.file();
    if file.exists() && !command.force {
        bail!("{} exists: add --force to replace it", file.display());
    }
    let client = Client::new(url, key(&command.data)?)?;
    let path = format!("/api/guilds/{}/exports", command.guild);
    let created = client.post(&path, &command.body()).await?;
    let id = created["exportId"].as_str();
    let path = format!("{path}/{}", id.context("the reply contains no export ID")?);
    let shown = completed(&client, &path).await?;
    let parts = shown["parts"]
        .as_u64()
        .context("the reply contains no parts")?;
    write(&client, &path, parts, &file).await?;
    let clips = shown["clips"].as_u64().unwrap_or(0);
    say(&format!("{clips} clips in {}\n", file.display()));
    Ok(())
}

/// Waits for the end of an export.
async fn completed(client: &Client, path: &str) -> anyhow::Result<Value> {
    loop {
        let shown = client.get(path).await?;
        match shown["state"].as_str() {
            Some("completed") => return Ok(shown),
            Some("failed") => {
                let reason = shown["errorMessage"].as_str();
                bail!("the export failed: {}", reason.unwrap_or("no reason given"));
            }
            Some("cancelled") => bail!("the export was cancelled"),
            _ => tokio::time::sleep(INTERVAL).await,
        }
    }
}

/// Writes the parts beside the file, and puts them in its place once they are complete.
async fn write(client: &Client, path: &str, parts: u64, file: &Path) -> anyhow::Result<()> {
    let mut partial = file.as_os_str().to_owned();
    partial.push(".part");
    let partial = PathBuf::from(partial);
    let written = write_parts(client, path, parts, &partial).await;
    let written = written.and_then(|()| {
        let cannot = || format!("cannot write {}", file.display());
        std::fs::rename(&partial, file).with_context(cannot)
    });
    if written.is_err() {
        // It may not exist, and the error that matters is the other one.
        let _ = std::fs::remove_file(&partial);
    }
    written
}

async fn write_parts(
    client: &Client,
    path: &str,
    parts: u64,
    partial: &Path,
) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", partial.display());
    let mut out = std::fs::File::create(partial).with_context(cannot)?;
    for part in 1..=parts {
        let text = client.text(&format!("{path}/parts/{part}")).await?;
        out.write_all(text.as_bytes()).with_context(cannot)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        export: ExportCommand,
    }

    fn command(words: &[&str]) -> ExportCommand {
        let words = ["dev", "--guild", "5"].iter().chain(words);
        Arguments::parse_from(words).export
    }

    #[test]
    fn the_route_is_sent_what_was_asked_for_and_nothing_else() {
        assert_eq!(command(&[]).body(), json!({ "format": "csv" }));
        let words = [
            "--format",
            "jsonl",
            "--channel",
            "1",
            "--channel",
            "2",
            "--text",
            "ace clutch",
            "--min-seconds",
            "2.5",
            "--sort",
            "oldest",
        ];
        let expected = json!({ "format": "jsonl", "channelId": ["1", "2"], "text": "ace clutch",
            "minSeconds": 2.5, "sort": "oldest" });
        assert_eq!(command(&words).body(), expected);
    }

    #[test]
    fn a_file_is_named_after_its_guild_unless_it_is_named() {
        assert_eq!(command(&[]).file(), Path::new("clips-5.csv"));
        assert_eq!(command(&["--out", "a/b.txt"]).file(), Path::new("a/b.txt"));
    }
}
