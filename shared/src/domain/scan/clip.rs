//! Clips: what counts as a clip, and how to find the clips of a message.
//!
//! A clip is a video that a message attaches, lays out, forwards or links to. Nothing is
//! downloaded; length and size are those that Discord declares.

use serde::{Deserialize, Serialize};

use crate::discord::{Attachment, Component, Embed, Media, Message};

/// Where in a message a clip was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClipSource {
    /// A video attached to the message.
    Attachment,
    /// A video that the message links to.
    Embed,
    /// A video in a message that this one forwards.
    Forward,
}

/// A video clip in a message. Its channel, message and id identify it; its address does not,
/// since Discord signs addresses for a day at most.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Clip {
    /// The id of the attachment, or for a link `e` followed by a hash. Clips that show the
    /// same video in several messages have the same id; together with `messageId` it names
    /// one of them.
    pub id: String,
    /// The id of the guild.
    pub guild_id: String,
    /// The id of the channel or thread.
    pub channel_id: String,
    /// The id of the message.
    pub message_id: String,
    /// The id of the user who wrote the message. `null` if a webhook wrote it.
    pub author_id: Option<String>,
    /// When the message was posted, in unix milliseconds.
    pub posted_at: i64,
    /// The file's name or the link's title.
    pub filename: Option<String>,
    /// The media type, such as `video/mp4`.
    pub content_type: Option<String>,
    /// The size of the file in bytes.
    pub size_bytes: Option<u64>,
    /// The length in seconds, as Discord declares it. `null` if it is not known.
    pub duration_seconds: Option<f64>,
    /// The width in pixels.
    pub width: Option<u32>,
    /// The height in pixels.
    pub height: Option<u32>,
    /// Where in the message the clip was found.
    pub source: ClipSource,
    /// The address when the message was read. Discord's own addresses expire within a day.
    pub url: Option<String>,
}

/// Maximum number of clips that one script call saves, which limits its running time. A
/// page with more clips is saved in parts.
pub const CLIPS_AT_ONCE: usize = 500;

/// Video file extensions, for files without a MIME type.
const EXTENSIONS: [&str; 7] = ["mp4", "mov", "qt", "webm", "mkv", "m4v", "avi"];

/// The attachment is the thumbnail of a post in a media channel.
const IS_THUMBNAIL: u64 = 1 << 1;

/// How many levels of a layout are searched.
const DEPTH: usize = 8;

/// Maximum number of clips per message. Discord allows fewer.
const MOST: usize = CLIPS_AT_ONCE;

/// The longest plausible duration, in seconds.
const LONGEST: f64 = 24.0 * 3600.0;

/// Which clips to store.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Clips declared shorter than this are not stored. Clips of unknown length are.
    pub min_seconds: Option<f64>,
}

/// The clips of a message: videos that are attached, laid out, forwarded or linked. What
/// a reply quotes belongs to the quoted message, and an animated picture (`gifv`) is not
/// a clip.
pub fn find_clips(
    guild_id: &str,
    channel_id: &str,
    message: &Message,
    filter: &Filter,
) -> Vec<Clip> {
    let mut found = Found {
        guild_id,
        channel_id,
        message,
        clips: Vec::new(),
    };
    found.parts(
        ClipSource::Attachment,
        &message.attachments,
        &message.embeds,
        &message.components,
    );
    for snapshot in &message.message_snapshots {
        let forwarded = &snapshot.message;
        found.parts(
            ClipSource::Forward,
            &forwarded.attachments,
            &forwarded.embeds,
            &forwarded.components,
        );
    }
    let mut clips = found.clips;
    let mut seen = std::collections::HashSet::new();
    clips.retain(|clip| {
        let long_enough = match (filter.min_seconds, clip.duration_seconds) {
            (Some(least), Some(seconds)) => seconds >= least,
            _ => true,
        };
        long_enough && seen.insert(clip.id.clone())
    });
    clips.truncate(MOST);
    clips
}

struct Found<'a> {
    guild_id: &'a str,
    channel_id: &'a str,
    message: &'a Message,
    clips: Vec<Clip>,
}

impl Found<'_> {
    fn parts(
        &mut self,
        source: ClipSource,
        attachments: &[Attachment],
        embeds: &[Embed],
        components: &[Component],
    ) {
        for attachment in attachments {
            self.attachment(source, attachment);
        }
        for embed in embeds {
            self.embed(source, embed);
        }
        for component in components {
            self.component(source, component, DEPTH);
        }
    }

    fn attachment(&mut self, source: ClipSource, attachment: &Attachment) {
        let is_thumbnail = attachment.flags.unwrap_or(0) & IS_THUMBNAIL != 0;
        let name = attachment.filename.as_deref();
        if is_thumbnail || !is_video(attachment.content_type.as_deref(), name) {
            return;
        }
        let mut clip = self.clip(attachment.id.to_string(), source);
        clip.filename = attachment
            .title
            .clone()
            .or_else(|| attachment.filename.clone());
        clip.content_type = attachment.content_type.clone();
        clip.size_bytes = attachment.size;
        clip.duration_seconds = believable(attachment.duration_secs);
        (clip.width, clip.height) = (attachment.width, attachment.height);
        clip.url = attachment.url.clone();
        self.clips.push(clip);
    }

    fn embed(&mut self, source: ClipSource, embed: &Embed) {
        let is_moving_picture = embed.kind.as_deref() == Some("gifv");
        let Some(video) = embed.video.as_ref().filter(|_| !is_moving_picture) else {
            return;
        };
        let Some(url) = embed.url.as_ref().or(video.url.as_ref()) else {
            return;
        };
        let mut clip = self.clip(hashed(url), linked(source));
        clip.filename = embed.title.clone();
        (clip.width, clip.height) = (video.width, video.height);
        clip.url = Some(url.clone());
        self.clips.push(clip);
    }

    fn component(&mut self, source: ClipSource, component: &Component, depth: usize) {
        for item in &component.items {
            if let Some(media) = &item.media {
                self.media(source, media, None, None);
            }
        }
        if let Some(file) = &component.file {
            self.media(source, file, component.name.as_deref(), component.size);
        }
        if depth > 0 {
            for inner in &component.components {
                self.component(source, inner, depth - 1);
            }
        }
    }

    fn media(&mut self, source: ClipSource, media: &Media, name: Option<&str>, size: Option<u64>) {
        if !is_video(media.content_type.as_deref(), name) {
            return;
        }
        let (id, source) = match (media.attachment_id, &media.url) {
            (Some(id), _) => (id.to_string(), source),
            // Not uploaded: a link inside a component.
            (None, Some(url)) => (hashed(url), linked(source)),
            (None, None) => return,
        };
        let mut clip = self.clip(id, source);
        clip.filename = name.map(str::to_owned);
        clip.content_type = media.content_type.clone();
        clip.size_bytes = size;
        (clip.width, clip.height) = (media.width, media.height);
        clip.url = media.url.clone();
        self.clips.push(clip);
    }

    fn clip(&self, id: String, source: ClipSource) -> Clip {
        let is_webhook = self.message.webhook_id.is_some();
        let author = self.message.author.as_ref().filter(|_| !is_webhook);
        Clip {
            id,
            guild_id: self.guild_id.to_owned(),
            channel_id: self.channel_id.to_owned(),
            message_id: self.message.id.to_string(),
            author_id: author.map(|author| author.id.clone()),
            posted_at: self.message.id.created_ms(),
            filename: None,
            content_type: None,
            size_bytes: None,
            duration_seconds: None,
            width: None,
            height: None,
            source,
            url: None,
        }
    }
}

/// The source of a link found in a part with this source.
fn linked(source: ClipSource) -> ClipSource {
    match source {
        ClipSource::Forward => ClipSource::Forward,
        ClipSource::Attachment | ClipSource::Embed => ClipSource::Embed,
    }
}

fn is_video(content_type: Option<&str>, name: Option<&str>) -> bool {
    match content_type {
        Some(media) if media.starts_with("video/") => true,
        None | Some("application/octet-stream") => name
            .and_then(|name| name.rsplit_once('.'))
            .is_some_and(|(_, extension)| {
                EXTENSIONS
                    .iter()
                    .any(|known| extension.eq_ignore_ascii_case(known))
            }),
        Some(_) => false,
    }
}

/// A missing, zero or negative duration counts as unknown.
fn believable(seconds: Option<f64>) -> Option<f64> {
    seconds.filter(|seconds| *seconds > 0.0 && *seconds <= LONGEST)
}

/// A link has no ID, so a hash of its URL without the signature is used.
fn hashed(url: &str) -> String {
    let plain = url.split(['?', '#']).next().unwrap_or(url);
    // On some sites, the part after `?` identifies the video.
    let named = if plain.ends_with("/watch") {
        url
    } else {
        plain
    };
    format!(
        "e{}",
        &sha1_smol::Sha1::from(named).digest().to_string()[..16]
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn clips(message: serde_json::Value, filter: &Filter) -> Vec<Clip> {
        let mut message = message;
        message["id"] = json!("1191168914227200000");
        let message: Message = serde_json::from_value(message).unwrap();
        find_clips("1", "2", &message, filter)
    }

    fn ids(message: serde_json::Value) -> Vec<String> {
        clips(message, &Filter::default())
            .into_iter()
            .map(|clip| clip.id)
            .collect()
    }

    #[test]
    fn a_video_is_known_by_its_type_or_its_name() {
        let found = ids(json!({"attachments": [
            {"id": "1", "filename": "a.bin", "content_type": "video/mp4"},
            {"id": "2", "filename": "A.MOV"},
            {"id": "3", "filename": "a.webm", "content_type": "application/octet-stream"},
            {"id": "4", "filename": "a.mp4", "content_type": "image/png"},
            {"id": "5", "filename": "a.png"},
            {"id": "6", "filename": "a.mp4", "content_type": "video/mp4", "flags": 2},
        ]}));
        assert_eq!(found, ["1", "2", "3"]);
    }

    #[test]
    fn a_forward_counts_and_a_quoted_message_does_not() {
        let video = json!([{"id": "7", "content_type": "video/mp4"}]);
        let forward = clips(
            json!({"message_snapshots": [{"message": {"attachments": video}}]}),
            &Filter::default(),
        );
        assert_eq!(forward[0].source, ClipSource::Forward);
        assert!(ids(json!({"referenced_message": {"attachments": video}})).is_empty());
    }

    #[test]
    fn videos_are_found_in_a_layout_and_in_links() {
        let media = json!({"attachment_id": "8", "content_type": "video/webm"});
        assert_eq!(
            ids(
                json!({"components": [{"type": 17, "components": [{"type": 12, "items": [{"media": media}]}]}]})
            ),
            ["8"]
        );
        let link = |kind: &str| json!({"embeds": [{"type": kind, "url": "https://v.example/1", "video": {"url": "https://v.example/p"}}]});
        assert_eq!(ids(link("video")).len(), 1);
        assert!(ids(link("gifv")).is_empty());
    }

    #[test]
    fn short_clips_are_left_out_and_unknown_ones_kept() {
        let attachments = json!({"attachments": [
            {"id": "1", "content_type": "video/mp4", "duration_secs": 2.0},
            {"id": "2", "content_type": "video/mp4", "duration_secs": 20.0},
            {"id": "3", "content_type": "video/mp4"},
            {"id": "4", "content_type": "video/mp4", "duration_secs": 0.0},
        ]});
        let filter = Filter {
            min_seconds: Some(5.0),
        };
        let kept: Vec<String> = clips(attachments, &filter)
            .into_iter()
            .map(|clip| clip.id)
            .collect();
        assert_eq!(kept, ["2", "3", "4"]);
    }
}
