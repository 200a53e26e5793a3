//! The keys of requests with an `Idempotency-Key`.

use crate::redis::Prefix;

/// Builds the keys of requests.
#[derive(Clone)]
pub struct Keys(pub(super) Prefix);

impl Keys {
    /// STRING: a request in progress, or its reply. The caller chooses `key`, which may be
    /// long and contain anything, so its hash is used instead.
    pub(super) fn request(&self, scope: &str, key: &str) -> String {
        let hash = sha1_smol::Sha1::from(key).digest();
        self.0.key(format_args!("idempotency:{scope}:{hash}"))
    }
}
