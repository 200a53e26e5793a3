//! Uploaded files: what a message declares about them, and their real properties. The two
//! can differ on purpose, because declarations by clients cannot be trusted.

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value, json};

use crate::file::{File, extension};
use crate::media;

/// Attachment flag: recorded with Discord's own Clips.
pub const IS_CLIP: u64 = 1 << 0;
/// Attachment flag: the thumbnail of a media channel's thread.
pub const IS_THUMBNAIL: u64 = 1 << 1;
/// Attachment flag: hidden until clicked.
pub const IS_SPOILER: u64 = 1 << 3;

/// A file to be uploaded with a message.
#[derive(Clone, Debug)]
pub struct AttachmentSpec {
    pub(crate) filename: String,
    content_type: Option<String>,
    size_bytes: u64,
    dimensions: Option<(u64, u64)>,
    duration_ms: Option<u64>,
    declared_secs: Option<f64>,
    flags: u64,
    moov_at_end: bool,
    content: Option<Arc<[u8]>>,
    extra: Map<String, Value>,
    left_out: Vec<String>,
}

impl AttachmentSpec {
    /// A video of 12 s, 1280×720 and 1.5 MB, typed by its extension and with a
    /// truthful `duration_secs`.
    pub fn video(filename: &str) -> Self {
        let content_type = match extension(filename).as_str() {
            "mov" | "qt" => "video/quicktime",
            "webm" => "video/webm",
            "mkv" => "video/x-matroska",
            "avi" => "video/x-msvideo",
            _ => "video/mp4",
        };
        Self::file(filename, content_type)
            .size_bytes(1_500_000)
            .dimensions(1280, 720)
            .duration(Duration::from_secs(12))
    }

    /// A PNG of 800×600.
    pub fn image(filename: &str) -> Self {
        Self::file(filename, "image/png").dimensions(800, 600)
    }

    /// Any file of 40 kB, without dimensions or duration.
    pub fn file(filename: &str, content_type: &str) -> Self {
        Self {
            filename: filename.to_owned(),
            content_type: Some(content_type.to_owned()),
            size_bytes: 40_000,
            dimensions: None,
            duration_ms: None,
            declared_secs: None,
            flags: 0,
            moov_at_end: false,
            content: None,
            extra: Map::new(),
            left_out: Vec::new(),
        }
    }

    /// The declared type; `None` leaves the field out.
    #[must_use]
    pub fn content_type(mut self, content_type: Option<&str>) -> Self {
        self.content_type = content_type.map(str::to_owned);
        self
    }

    /// The size of the file. It is raised if the headers need more.
    #[must_use]
    pub fn size_bytes(mut self, size_bytes: u64) -> Self {
        self.size_bytes = size_bytes;
        self
    }

    #[must_use]
    pub fn dimensions(mut self, width: u64, height: u64) -> Self {
        self.dimensions = Some((width, height));
        self
    }

    /// The real duration, which is also declared.
    #[must_use]
    pub fn duration(mut self, duration: Duration) -> Self {
        self.duration_ms = Some(duration.as_millis() as u64);
        self.declared_secs = Some(duration.as_secs_f64());
        self
    }

    /// What `duration_secs` claims; `None` leaves the field out.
    #[must_use]
    pub fn declared_secs(mut self, declared_secs: Option<f64>) -> Self {
        self.declared_secs = declared_secs;
        self
    }

    /// Adds flags such as [`IS_CLIP`].
    #[must_use]
    pub fn flags(mut self, flags: u64) -> Self {
        self.flags |= flags;
        self
    }

    /// Puts an MP4's index behind its media, where recorders leave it.
    #[must_use]
    pub fn moov_at_end(mut self) -> Self {
        self.moov_at_end = true;
        self
    }

    /// The bytes of the file, whatever the message says about it.
    #[must_use]
    pub fn content(mut self, bytes: &[u8]) -> Self {
        self.content = Some(bytes.into());
        self
    }

    /// Sets any field of the attachment object, replacing its value.
    #[must_use]
    pub fn set(mut self, key: &str, value: Value) -> Self {
        self.extra.insert(key.to_owned(), value);
        self
    }

    /// Leaves a field of the attachment object out.
    #[must_use]
    pub fn without(mut self, key: &str) -> Self {
        self.left_out.push(key.to_owned());
        self
    }

    pub(crate) fn upload(&self, id: u64, channel_id: u64, message_id: u64) -> File {
        let mut file = File {
            id,
            channel_id,
            message_id,
            name: self.filename.clone(),
            content_type: self.content_type.clone(),
            size_bytes: self.size_bytes,
            duration_ms: self.duration_ms,
            dimensions: self.dimensions,
            moov_at_end: self.moov_at_end,
            content: self.content.clone(),
        };
        file.size_bytes = media::size_bytes(&file);
        file
    }

    /// The object in `attachments`.
    pub(crate) fn to_json(&self, file: &File) -> Value {
        let mut body = json!({
            "id": file.id.to_string(),
            "filename": self.filename,
            "size": file.size_bytes,
            "url": file.location(),
            "proxy_url": file.location(),
            "flags": self.flags,
        });
        let fields = &mut body;
        if let Some(content_type) = &self.content_type {
            fields["content_type"] = json!(content_type);
        }
        if let Some((width, height)) = self.dimensions {
            fields["width"] = json!(width);
            fields["height"] = json!(height);
            fields["placeholder"] = json!("IBgKDAJ4iHiPd4dwiHiIh3AACPgH");
            fields["placeholder_version"] = json!(1);
        }
        if let Some(declared_secs) = self.declared_secs {
            fields["duration_secs"] = json!(declared_secs);
        }
        amend(body, &self.extra, &self.left_out)
    }

    /// The unfurled media item a component shows the file with.
    pub(crate) fn to_media_item(&self, file: &File) -> Value {
        let (width, height) = self.dimensions.unwrap_or_default();
        json!({
            "url": file.location(),
            "proxy_url": file.location(),
            "width": width,
            "height": height,
            "content_type": self.content_type,
            "attachment_id": file.id.to_string(),
            "loading_state": 2,
        })
    }
}

/// Overrides and removes fields of an object.
pub(crate) fn amend(mut body: Value, extra: &Map<String, Value>, left_out: &[String]) -> Value {
    if let Some(fields) = body.as_object_mut() {
        fields.extend(extra.clone());
        fields.retain(|key, _| !left_out.contains(key));
    }
    body
}
