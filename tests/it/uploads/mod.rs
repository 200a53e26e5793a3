//! Uploads and imports, from the first part to the listed clip.

mod imports;
mod routes;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use integration::{Reply, TestApp};
use serde_json::{Value, json};

use crate::scan::{CHANNEL, FIRST_MS, GUILD};

/// A message as DiscordChatExporter writes it. Every tenth has a video.
fn exported(n: u64) -> Value {
    let ms = FIRST_MS + i64::try_from(n).unwrap() * 60_000;
    let id = discord_local::snowflake::at_ms(ms) + n % 1000;
    let attachments = match n % 10 {
        0 => json!([{
            "id": (id + 4096).to_string(),
            "url": format!("https://cdn.discordapp.com/attachments/1/2/clip_{n}.mp4?ex=1"),
            "fileName": format!("clip_{n}.mp4"),
            "fileSizeBytes": 1000 + n,
        }]),
        _ => json!([]),
    };
    json!({
        "id": id.to_string(),
        "type": "Default",
        "timestamp": "2026-01-01T00:00:00.000+00:00",
        "timestampEdited": null,
        "content": format!("message \"{n}\" {{[ 你好"),
        "author": { "id": "1100000000000000009", "name": "anna", "nickname": "Anna", "isBot": false },
        "attachments": attachments,
        "embeds": [],
        "reactions": [],
    })
}

fn export(messages: &[Value]) -> Value {
    json!({
        "guild": { "id": GUILD.to_string(), "name": "A guild" },
        "channel": { "id": CHANNEL.to_string(), "type": "GuildTextChat", "name": "clips" },
        "dateRange": { "after": null, "before": null },
        "messages": messages,
        "messageCount": messages.len(),
    })
}

/// A file with `n` messages.
pub fn file(n: u64) -> Vec<u8> {
    let messages: Vec<Value> = (0..n).map(exported).collect();
    export(&messages).to_string().into_bytes()
}

async fn begin(app: &TestApp, size: usize) -> Value {
    begin_for(app, GUILD, size).await
}

async fn begin_for(app: &TestApp, guild: u64, size: usize) -> Value {
    let body = json!({ "guildId": guild.to_string(), "sizeBytes": size });
    let reply = app.post("/api/uploads", &body).await;
    assert_eq!(reply.status, 201, "{}", reply.json);
    reply.json
}

async fn put_part(app: &TestApp, upload: &str, number: usize, bytes: &[u8]) -> Reply {
    let path = format!("/api/uploads/{upload}/parts/{number}");
    app.put(&path, &json!({ "data": STANDARD.encode(bytes) }))
        .await
}

async fn finish(app: &TestApp, upload: &str) -> Reply {
    app.post(&format!("/api/uploads/{upload}/finish"), &json!({}))
        .await
}

/// Uploads a file and returns the id of its scan.
async fn uploaded(app: &TestApp, file: &[u8]) -> String {
    uploaded_for(app, GUILD, file).await
}

/// The same for any guild.
async fn uploaded_for(app: &TestApp, guild: u64, file: &[u8]) -> String {
    let begun = begin_for(app, guild, file.len()).await;
    let upload = begun["uploadId"].as_str().unwrap();
    let length = usize::try_from(begun["partBytes"].as_u64().unwrap()).unwrap();
    for (n, part) in file.chunks(length).enumerate() {
        assert_eq!(put_part(app, upload, n + 1, part).await.status, 204);
    }
    let finished = finish(app, upload).await;
    assert_eq!(finished.status, 202, "{}", finished.json);
    finished.text("/scanId").to_owned()
}

/// The names of all clips of the guild, as a client that pages through them sees them.
async fn clips(app: &TestApp) -> Vec<String> {
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/guilds/{GUILD}/clips?limit=50{cursor}");
        let page = app.get(&path).await.json;
        let clips = page["clips"].as_array().unwrap().iter();
        names.extend(clips.map(|clip| clip["filename"].as_str().unwrap().to_owned()));
        let Some(next) = page["nextCursor"].as_str() else {
            return names;
        };
        cursor = format!("&cursor={next}");
    }
}
