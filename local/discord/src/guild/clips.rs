//! Decides which messages contain clips by Discord's rules. Tests compare a scanner's
//! results with this, so it is written plainly and shares no code with the scanner.

use serde_json::Value;

use super::attachment::IS_THUMBNAIL;
use crate::file::extension;

/// Extensions that mark a file as a video if its type does not.
const EXTENSIONS: [&str; 7] = ["mp4", "mov", "qt", "webm", "mkv", "m4v", "avi"];

/// Where in a message a clip was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Attachment,
    /// In the snapshot of a forward, as an attachment or component.
    Forward,
    Component,
}

/// An uploaded video in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clip {
    pub message_id: u64,
    /// A forwarded clip keeps the ID it had in the original message.
    pub attachment_id: u64,
    pub place: Place,
    /// The duration that a probe of the file must find, or `None` if it is not known.
    pub duration_ms: Option<u64>,
}

/// The attachment IDs of a message's uploaded videos.
pub(crate) fn uploaded(message: &Value) -> Vec<(u64, Place)> {
    let mut found: Vec<(u64, Place)> = attachments(message)
        .map(|id| (id, Place::Attachment))
        .collect();
    found.extend(component_uploads(message).map(|id| (id, Place::Component)));
    for snapshot in snapshots(message) {
        found.extend(attachments(snapshot).map(|id| (id, Place::Forward)));
        found.extend(component_uploads(snapshot).map(|id| (id, Place::Forward)));
    }
    found
}

/// The number of videos in a message that are not uploaded to Discord: embeds with a
/// `video` (except `gifv`), and component media without an attachment ID.
pub(crate) fn external(message: &Value) -> usize {
    std::iter::once(message)
        .chain(snapshots(message))
        .map(|part| {
            let embeds = list(&part["embeds"]).filter(|embed| is_video_embed(embed));
            let linked = component_videos(part)
                .into_iter()
                .filter(|media| number(&media["attachment_id"]).is_none());
            embeds.count() + linked.count()
        })
        .sum()
}

fn snapshots(message: &Value) -> impl Iterator<Item = &Value> {
    list(&message["message_snapshots"]).map(|snapshot| &snapshot["message"])
}

fn attachments(part: &Value) -> impl Iterator<Item = u64> {
    list(&part["attachments"])
        .filter(|attachment| is_video_file(attachment))
        .filter_map(|attachment| number(&attachment["id"]))
}

fn is_video_file(attachment: &Value) -> bool {
    if attachment["flags"].as_u64().unwrap_or(0) & IS_THUMBNAIL != 0 {
        return false;
    }
    match attachment["content_type"].as_str() {
        None | Some("application/octet-stream") => {
            let filename = attachment["filename"].as_str().unwrap_or_default();
            EXTENSIONS.contains(&extension(filename).as_str())
        }
        Some(content_type) => content_type.starts_with("video/"),
    }
}

fn is_video_embed(embed: &Value) -> bool {
    embed["video"].is_object() && embed["type"] != "gifv"
}

fn component_uploads(part: &Value) -> impl Iterator<Item = u64> {
    component_videos(part)
        .into_iter()
        .filter_map(|media| number(&media["attachment_id"]))
}

/// Every media item with a video type, at any depth.
fn component_videos(part: &Value) -> Vec<&Value> {
    let mut found = Vec::new();
    let mut open: Vec<&Value> = list(&part["components"]).collect();
    open.reverse();
    while let Some(component) = open.pop() {
        let media = [&component["media"], &component["file"]];
        let items = list(&component["items"]).map(|item| &item["media"]);
        found.extend(media.into_iter().chain(items).filter(|media| {
            media["content_type"]
                .as_str()
                .is_some_and(|content_type| content_type.starts_with("video/"))
        }));
        open.extend(component.get("accessory"));
        let inner: Vec<&Value> = list(&component["components"]).collect();
        open.extend(inner.into_iter().rev());
    }
    found
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn number(value: &Value) -> Option<u64> {
    value.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_type_decides_and_the_extension_only_without_a_telling_one() {
        let message = json!({ "attachments": [
            { "id": "1", "content_type": "video/mp4", "filename": "noextension" },
            { "id": "2", "filename": "A.MOV" },
            { "id": "3", "content_type": "application/octet-stream", "filename": "a.mkv" },
            { "id": "4", "content_type": "image/png", "filename": "a.mp4" },
            { "id": "5", "content_type": "video/mp4", "filename": "a.mp4", "flags": 2 },
            { "id": "6", "content_type": "application/octet-stream", "filename": "a.zip" },
        ]});
        let ids: Vec<u64> = uploaded(&message).into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, [1, 2, 3]);
    }

    #[test]
    fn a_reply_does_not_hold_the_clip_of_what_it_answers() {
        let message = json!({ "type": 19, "referenced_message": { "attachments": [
            { "id": "1", "content_type": "video/mp4", "filename": "a.mp4" },
        ]}});
        assert_eq!(uploaded(&message), []);
    }

    #[test]
    fn media_is_found_at_any_depth_of_components() {
        let video = json!({ "content_type": "video/mp4", "attachment_id": "7" });
        let message = json!({ "components": [{ "type": 17, "components": [
            { "type": 12, "items": [{ "media": video }] },
            { "type": 13, "file": { "content_type": "video/webm" } },
        ]}]});
        assert_eq!(uploaded(&message), [(7, Place::Component)]);
        assert_eq!(external(&message), 1);
    }
}
