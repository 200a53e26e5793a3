//! URLs that expire: `ex` and `is` are hexadecimal Unix seconds, and `hm` is a signature
//! over the path and the times.

use serde_json::Value;

use crate::hash::hash;

const HOUR_SECS: i64 = 3_600;
/// A day and an hour after the full hour of issue, so that every URL is valid for at
/// least a day when it is handed out.
const LIFETIME_SECS: i64 = 25 * HOUR_SECS;

/// Signs and verifies the URLs of one CDN.
pub(crate) struct Signer {
    pub(crate) base: String,
}

impl Signer {
    /// The full URL of a stored `cdn:/…` location. It stays the same within an hour,
    /// because Discord does not sign anew for each answer.
    pub(crate) fn sign(&self, location: &str, now_ms: i64) -> Option<String> {
        let path = location.strip_prefix("cdn:")?;
        let issued = (now_ms / 1_000).div_euclid(HOUR_SECS) * HOUR_SECS;
        let expires = issued + LIFETIME_SECS;
        let mark = mark(path, expires, issued);
        let base = &self.base;
        Some(format!(
            "{base}{path}?ex={expires:x}&is={issued:x}&hm={mark}&"
        ))
    }

    /// Signs every location in a message.
    pub(crate) fn sign_all(&self, value: &mut Value, now_ms: i64) {
        match value {
            Value::String(text) => {
                if let Some(signed) = self.sign(text, now_ms) {
                    *text = signed;
                }
            }
            Value::Array(items) => items
                .iter_mut()
                .for_each(|item| self.sign_all(item, now_ms)),
            Value::Object(fields) => fields
                .values_mut()
                .for_each(|field| self.sign_all(field, now_ms)),
            _ => {}
        }
    }

    /// A new URL for an old one, which may be expired or unsigned.
    pub(crate) fn refresh(&self, url: &str, now_ms: i64) -> Option<String> {
        let path = url.strip_prefix(&self.base)?.split('?').next()?;
        attachment_id(path)?;
        self.sign(&format!("cdn:{path}"), now_ms)
    }

    pub(crate) fn is_valid(&self, path: &str, query: &str, now_ms: i64) -> bool {
        let field = |name: &str| {
            query
                .split('&')
                .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
        };
        let seconds = |name: &str| i64::from_str_radix(field(name)?, 16).ok();
        let (Some(expires), Some(issued), Some(given)) =
            (seconds("ex"), seconds("is"), field("hm"))
        else {
            return false;
        };
        now_ms < expires * 1_000 && given == mark(path, expires, issued)
    }
}

/// The attachment ID in `/attachments/{channel}/{attachment}/{name}`.
pub(crate) fn attachment_id(path: &str) -> Option<u64> {
    path.strip_prefix("/attachments/")?
        .split('/')
        .nth(1)?
        .parse()
        .ok()
}

/// 64 hexadecimal digits. The value is not secret; it only has to change with the path
/// and the times.
fn mark(path: &str, expires: i64, issued: i64) -> String {
    (0..4)
        .map(|part| {
            format!(
                "{:016x}",
                hash(format!("{part}{path}{expires}{issued}").as_bytes())
            )
        })
        .collect()
}
