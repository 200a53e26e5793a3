//! Finds the clips of a message. Nothing is downloaded; length and size are those that
//! Discord declares.

use super::link::link_id;
use super::{CLIPS_AT_ONCE, Clip, ClipSource, Origin, ProbeState};
use crate::discord::{Attachment, Component, Embed, Media, Message};

/// Video file extensions, for files without a MIME type.
const EXTENSIONS: [&str; 7] = ["mp4", "mov", "qt", "webm", "mkv", "m4v", "avi"];

/// Flags of an attachment: recorded with Discord's Clips.
const IS_CLIP: u64 = 1;

/// The thumbnail of a post in a media channel.
const IS_THUMBNAIL: u64 = 1 << 1;

/// Hidden until it is clicked. Older clients put a prefix before the name instead.
const IS_SPOILER: u64 = 1 << 3;
const SPOILER_PREFIX: &str = "SPOILER_";

/// How much of a message's text is kept, in characters.
const TEXT: usize = 200;

/// How much of a name or a title is kept, in characters.
const NAME: usize = 200;

/// How many levels of a layout are searched.
const DEPTH: usize = 8;

/// Maximum number of clips per message. Discord allows fewer.
const MOST: usize = CLIPS_AT_ONCE;

/// The longest plausible duration, in seconds.
const LONGEST: f64 = 24.0 * 3600.0;

/// Which clips to store.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Clips declared shorter than this are not stored. Clips of unknown length are.
    pub min_seconds: Option<f64>,
    /// Whether the text of the message is kept.
    pub store_text: bool,
}

impl Default for Filter {
    fn default() -> Filter {
        Filter {
            min_seconds: None,
            store_text: true,
        }
    }
}

/// Where a message is.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub guild_id: &'a str,
    pub channel_id: &'a str,
    /// The channel that a thread is in.
    pub parent_id: Option<&'a str>,
}

/// The clips of a message: videos that are attached, laid out, forwarded or linked. What
/// a reply quotes belongs to the quoted message, and an animated picture (`gifv`) is not
/// a clip.
pub fn find_clips(place: Place<'_>, message: &Message, filter: &Filter) -> Vec<Clip> {
    let mut found = Found {
        place,
        message,
        is_forward: false,
        text: message.content.as_deref().filter(|_| filter.store_text),
        clips: Vec::new(),
    };
    found.parts(&message.attachments, &message.embeds, &message.components);
    found.is_forward = true;
    for snapshot in &message.message_snapshots {
        let forwarded = &snapshot.message;
        found.text = forwarded.content.as_deref().filter(|_| filter.store_text);
        found.parts(
            &forwarded.attachments,
            &forwarded.embeds,
            &forwarded.components,
        );
    }
    let mut clips = found.clips;
    let mut seen = std::collections::HashSet::new();
    clips.retain(|clip| {
        let long_enough = match (filter.min_seconds, clip.duration_declared) {
            (Some(least), Some(seconds)) => seconds >= least,
            _ => true,
        };
        long_enough && seen.insert(clip.id.clone())
    });
    clips.truncate(MOST);
    clips
}

struct Found<'a> {
    place: Place<'a>,
    message: &'a Message,
    /// Whether the parts are those of a forwarded message.
    is_forward: bool,
    text: Option<&'a str>,
    clips: Vec<Clip>,
}

impl Found<'_> {
    fn parts(&mut self, attachments: &[Attachment], embeds: &[Embed], components: &[Component]) {
        for attachment in attachments {
            self.attachment(attachment);
        }
        for embed in embeds {
            self.embed(embed);
        }
        for component in components {
            self.component(component, DEPTH);
        }
    }

    fn attachment(&mut self, attachment: &Attachment) {
        let flags = attachment.flags.unwrap_or(0);
        let name = attachment.filename.as_deref();
        if flags & IS_THUMBNAIL != 0 || !is_video(attachment.content_type.as_deref(), name) {
            return;
        }
        let mut clip = self.clip(attachment.id.to_string(), ClipSource::Attachment);
        clip.filename = cut(name, NAME);
        clip.title = cut(attachment.title.as_deref(), NAME);
        clip.content_type = cut(attachment.content_type.as_deref(), NAME);
        clip.size_bytes = attachment.size;
        clip.duration_declared = believable(attachment.duration_secs);
        (clip.width, clip.height) = (attachment.width, attachment.height);
        clip.spoiler =
            flags & IS_SPOILER != 0 || name.is_some_and(|name| name.starts_with(SPOILER_PREFIX));
        clip.is_clip = flags & IS_CLIP != 0;
        clip.clip_created_at = attachment.clip_created_at.as_deref().and_then(unix_ms);
        let participants = attachment.clip_participants.iter();
        clip.clip_participants = participants.map(|user| user.id.clone()).collect();
        clip.thumbhash = cut(attachment.placeholder.as_deref(), NAME);
        clip.url = attachment.url.clone();
        self.clips.push(clip);
    }

    fn embed(&mut self, embed: &Embed) {
        let is_moving_picture = embed.kind.as_deref() == Some("gifv");
        let Some(video) = embed.video.as_ref().filter(|_| !is_moving_picture) else {
            return;
        };
        let Some(url) = embed.url.as_ref().or(video.url.as_ref()) else {
            return;
        };
        let mut clip = self.clip(link_id(url), ClipSource::Embed);
        clip.title = cut(embed.title.as_deref(), NAME);
        (clip.width, clip.height) = (video.width, video.height);
        let provider = embed.provider.as_ref();
        clip.provider = provider.and_then(|provider| cut(provider.name.as_deref(), NAME));
        clip.url = Some(url.clone());
        self.clips.push(clip);
    }

    fn component(&mut self, component: &Component, depth: usize) {
        for item in &component.items {
            if let Some(media) = &item.media {
                self.media(media, None, None, item.spoiler);
            }
        }
        if let Some(file) = &component.file {
            let name = component.name.as_deref();
            self.media(file, name, component.size, component.spoiler);
        }
        if depth > 0 {
            for inner in &component.components {
                self.component(inner, depth - 1);
            }
        }
    }

    fn media(
        &mut self,
        media: &Media,
        name: Option<&str>,
        size: Option<u64>,
        spoiler: Option<bool>,
    ) {
        if !is_video(media.content_type.as_deref(), name) {
            return;
        }
        let id = match (media.attachment_id, &media.url) {
            (Some(id), _) => id.to_string(),
            // Not uploaded: a link inside a component.
            (None, Some(url)) => link_id(url),
            (None, None) => return,
        };
        let mut clip = self.clip(id, ClipSource::Component);
        clip.filename = cut(name, NAME);
        clip.content_type = cut(media.content_type.as_deref(), NAME);
        clip.size_bytes = size;
        (clip.width, clip.height) = (media.width, media.height);
        clip.spoiler = spoiler == Some(true);
        clip.thumbhash = cut(media.placeholder.as_deref(), NAME);
        clip.url = media.url.clone();
        self.clips.push(clip);
    }

    fn clip(&self, id: String, source: ClipSource) -> Clip {
        let (place, message) = (self.place, self.message);
        let is_webhook = message.webhook_id.is_some();
        let author = message.author.as_ref().filter(|_| !is_webhook);
        let name =
            author.and_then(|author| author.global_name.as_ref().or(author.username.as_ref()));
        let origin = message.message_reference.as_ref().map(|origin| Origin {
            guild_id: origin.guild_id.clone(),
            channel_id: origin.channel_id.clone(),
            message_id: origin.message_id.clone(),
        });
        let is_link = id.starts_with('e');
        let reactions = message.reactions.as_ref();
        Clip {
            id,
            guild_id: place.guild_id.to_owned(),
            channel_id: place.channel_id.to_owned(),
            parent_channel_id: place.parent_id.map(str::to_owned),
            message_id: message.id.to_string(),
            author_id: author.map(|author| author.id.clone()),
            author_name: cut(name.map(String::as_str), NAME),
            posted_at: message.id.created_ms(),
            text: cut(self.text, TEXT),
            source: if self.is_forward {
                ClipSource::Forward
            } else {
                source
            },
            forwarded_from: origin.filter(|_| self.is_forward),
            reactions: reactions.map(|all| all.iter().map(|reaction| reaction.count).sum()),
            probe: if is_link {
                ProbeState::Failed
            } else {
                ProbeState::Pending
            },
            probe_error: is_link.then(|| EXTERNAL.to_owned()),
            ..Clip::default()
        }
    }
}

/// Why nobody looks into a link: it is on another site.
const EXTERNAL: &str = "external";

/// The beginning of a text, unless there is none.
fn cut(text: Option<&str>, most: usize) -> Option<String> {
    let text = text.map(str::trim).filter(|text| !text.is_empty())?;
    Some(text.chars().take(most).collect())
}

fn unix_ms(text: &str) -> Option<i64> {
    let time = chrono::DateTime::parse_from_rfc3339(text).ok()?;
    Some(time.timestamp_millis())
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PLACE: Place<'_> = Place {
        guild_id: "1",
        channel_id: "2",
        parent_id: None,
    };

    fn clips(message: serde_json::Value, filter: &Filter) -> Vec<Clip> {
        let mut message = message;
        message["id"] = json!("1191168914227200000");
        let message: Message = serde_json::from_value(message).unwrap();
        find_clips(PLACE, &message, filter)
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
            ..Filter::default()
        };
        let kept: Vec<String> = clips(attachments, &filter)
            .into_iter()
            .map(|clip| clip.id)
            .collect();
        assert_eq!(kept, ["2", "3", "4"]);
    }
}
