//! Short texts that stand for longer ones.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::SHA256;

/// Bytes of a digest.
const CHECKSUM: usize = 9;

/// A short text that another text does not have by accident.
pub fn digest(text: &str) -> String {
    let hash = ring::digest::digest(&SHA256, text.as_bytes());
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..CHECKSUM])
}
