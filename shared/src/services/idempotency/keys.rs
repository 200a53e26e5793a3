//! The keys of remembered requests.

use crate::redis::Prefix;

/// Names requests.
#[derive(Clone)]
pub struct Keys(pub(super) Prefix);

impl Keys {
    /// STRING: a request in progress, or its reply. Callers choose `key`, so its hash
    /// stands for it: it may be long, and be anything.
    pub(super) fn request(&self, scope: &str, key: &str) -> String {
        let hash = sha1_smol::Sha1::from(key).digest();
        self.0.key(format_args!("idempotency:{scope}:{hash}"))
    }
}
