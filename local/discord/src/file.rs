//! An uploaded file: what it really is, whatever a message declares.

/// An uploaded file, as the CDN stores it.
#[derive(Clone, Debug)]
pub struct File {
    pub id: u64,
    pub channel_id: u64,
    /// The message it was uploaded with; gone together with it.
    pub message_id: u64,
    pub name: String,
    pub content_type: Option<String>,
    pub size_bytes: u64,
    /// What a probe of the bytes must find, for MP4, MOV, WebM and MKV.
    pub duration_ms: Option<u64>,
    /// Width and height, likewise.
    pub dimensions: Option<(u64, u64)>,
    pub moov_at_end: bool,
}

impl File {
    /// Where it lies, without host and signature: those are added whenever the
    /// address is handed out.
    pub(crate) fn location(&self) -> String {
        format!(
            "cdn:/attachments/{}/{}/{}",
            self.channel_id, self.id, self.name
        )
    }
}

/// The part of a file name behind its last dot, in lower case.
pub(crate) fn extension(filename: &str) -> String {
    filename
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_ascii_lowercase())
        .unwrap_or_default()
}
