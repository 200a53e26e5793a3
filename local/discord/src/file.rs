//! An uploaded file: its real properties, whatever a message declares.

use std::sync::Arc;

/// An uploaded file, as the CDN stores it.
#[derive(Clone, Debug)]
pub struct File {
    pub id: u64,
    pub channel_id: u64,
    /// The message it was uploaded with, and with which it is deleted.
    pub message_id: u64,
    pub name: String,
    pub content_type: Option<String>,
    pub size_bytes: u64,
    /// The duration that a probe of the bytes must find, for MP4, MOV, WebM and MKV.
    pub duration_ms: Option<u64>,
    /// The width and height that a probe must find.
    pub dimensions: Option<(u64, u64)>,
    pub moov_at_end: bool,
    /// The bytes themselves, if they are not made from the other properties.
    pub content: Option<Arc<[u8]>>,
}

impl File {
    /// The stored location, without host and signature, which are added whenever the URL
    /// is handed out.
    pub(crate) fn location(&self) -> String {
        format!(
            "cdn:/attachments/{}/{}/{}",
            self.channel_id, self.id, self.name
        )
    }
}

/// The part of a file name after its last dot, in lower case.
pub(crate) fn extension(filename: &str) -> String {
    filename
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_ascii_lowercase())
        .unwrap_or_default()
}
