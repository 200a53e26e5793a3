//! The keys of uploads.

use crate::redis::Prefix;

/// Names the keys of uploads.
#[derive(Clone)]
pub struct Keys(pub(super) Prefix);

impl Keys {
    /// HASH: `session` → what is uploaded; the number of a part → its bytes, in base64.
    pub fn upload(&self, upload_id: &str) -> String {
        self.0.key(format_args!("upload:{upload_id}"))
    }
}
