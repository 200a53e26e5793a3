//! A message of a file in Discord's own form.

use serde_json::{Map, Value, json};

use crate::discord::Message;

/// Turns a message around, so that the rest of the program need not know where it came from.
/// `None` if it has no id.
pub fn in_discords_form(exported: &Value) -> Option<Message> {
    let mut message = json!({
        "id": exported.get("id")?,
        "type": kind(exported),
        "content": exported["content"],
        "timestamp": exported["timestamp"],
        "author": author(&exported["author"]),
        "attachments": attachments(&exported["attachments"]),
        "embeds": embeds(&exported["embeds"]),
        "reactions": reactions(&exported["reactions"]),
    });
    let forwarded = &exported["forwardedMessage"];
    if forwarded.is_object() {
        let reference = &exported["reference"];
        message["message_reference"] = json!({
            "type": 1,
            "guild_id": reference["guildId"],
            "channel_id": reference["channelId"],
            "message_id": reference["messageId"],
        });
        message["message_snapshots"] = json!([{ "message": {
            "content": forwarded["content"],
            "timestamp": forwarded["timestamp"],
            "attachments": attachments(&forwarded["attachments"]),
            "embeds": embeds(&forwarded["embeds"]),
        }}]);
    }
    serde_json::from_value(message).ok()
}

/// The program writes the kind as a word. Only replies matter here.
fn kind(exported: &Value) -> u64 {
    match exported["type"].as_str() {
        Some("Reply") => 19,
        _ => 0,
    }
}

fn author(author: &Value) -> Value {
    if !author.is_object() {
        return Value::Null;
    }
    json!({
        "id": author["id"],
        "username": author["name"],
        "global_name": author["nickname"],
        "bot": author["isBot"],
    })
}

/// Each entry of a list, changed. What is not a list stays as it is, so that it counts as
/// unreadable.
fn each(list: &Value, change: impl Fn(&Map<String, Value>) -> Value) -> Value {
    let Some(entries) = list.as_array() else {
        return list.clone();
    };
    let entries = entries.iter().map(|entry| match entry.as_object() {
        Some(entry) => change(entry),
        None => entry.clone(),
    });
    entries.collect()
}

fn field(entry: &Map<String, Value>, name: &str) -> Value {
    entry.get(name).cloned().unwrap_or_default()
}

/// An address, unless it is a path: with `--media`, the program saves files beside the export.
fn address(entry: &Map<String, Value>, name: &str) -> Value {
    let url = entry.get(name).and_then(Value::as_str);
    let url = url.filter(|url| url.starts_with("https://") || url.starts_with("http://"));
    url.map_or(Value::Null, Value::from)
}

fn attachments(list: &Value) -> Value {
    each(list, |entry| {
        let name = field(entry, "fileName");
        let is_spoiler = name
            .as_str()
            .is_some_and(|name| name.starts_with("SPOILER_"));
        json!({
            "id": field(entry, "id"),
            "filename": name,
            "size": field(entry, "fileSizeBytes"),
            "url": address(entry, "url"),
            "flags": if is_spoiler { 1 << 3 } else { 0 },
        })
    })
}

/// The program leaves out the kind of an embed. Discord calls one that plays a video `video`.
fn embeds(list: &Value) -> Value {
    each(list, |entry| {
        let video = entry.get("video").and_then(Value::as_object);
        let video = video.map(|video| {
            // Beside `url`, the program names the copy at Discord, `canonicalUrl`.
            json!({
                "url": address(video, "url"),
                "width": field(video, "width"),
                "height": field(video, "height"),
            })
        });
        let provider = entry.get("provider").cloned().unwrap_or_default();
        json!({
            "type": if video.is_some() { "video" } else { "rich" },
            "url": address(entry, "url"),
            "title": field(entry, "title"),
            "provider": provider,
            "video": video,
        })
    })
}

fn reactions(list: &Value) -> Value {
    each(list, |entry| json!({ "count": field(entry, "count") }))
}
