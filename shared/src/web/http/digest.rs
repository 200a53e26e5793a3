//! Digests of texts.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::SHA256;

/// Bytes of a digest.
const CHECKSUM: usize = 9;

/// A digest long enough that two different texts do not share one by accident.
pub fn digest(text: &str) -> String {
    let hash = ring::digest::digest(&SHA256, text.as_bytes());
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..CHECKSUM])
}
