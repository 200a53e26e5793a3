//! A secret, as the code that uses it sees it.

use std::sync::Arc;

use futures_util::future::BoxFuture;

/// Why the values are read again.
#[derive(Clone, Copy, Debug)]
pub enum Reason<'a> {
    /// The values may be too old.
    Age,
    /// A caller brought an unknown key.
    Unknown,
    /// A service refused this value.
    Refused(&'a str),
}

/// Knows the newest values of several secrets, each by its place.
pub trait Values: Send + Sync + 'static {
    /// The value to use now.
    fn value(&self, place: usize) -> Arc<str>;

    /// Reads the values again if there is reason to; it may decide that it did so just now.
    fn look<'a>(&'a self, reason: Reason<'a>, place: usize) -> BoxFuture<'a, ()>;
}

/// A secret: one value, or the newest of a value that may change. Clones are the same
/// secret. `Debug` does not show it.
#[derive(Clone)]
pub struct Secret(Kind);

#[derive(Clone)]
enum Kind {
    Plain(Arc<str>),
    Cached {
        values: Arc<dyn Values>,
        place: usize,
    },
}

impl Secret {
    /// The one at `place` among several.
    pub fn cached(values: Arc<dyn Values>, place: usize) -> Secret {
        Secret(Kind::Cached { values, place })
    }

    /// The value to use now.
    pub fn value(&self) -> Arc<str> {
        match &self.0 {
            Kind::Plain(value) => value.clone(),
            Kind::Cached { values, place } => values.value(*place),
        }
    }

    /// Has values read again that are too old. This refreshes every
    /// secret that is read together with it.
    pub async fn freshen(&self) {
        self.look(Reason::Age).await;
    }

    /// Looks for a newer value when a service refused `refused`; true if there is one.
    pub async fn renew(&self, refused: &str) -> bool {
        self.look(Reason::Refused(refused)).await;
        *self.value() != *refused
    }

    /// Looks for newer values when a caller brought an unknown key. Strangers cause this,
    /// so it is done at most once a minute.
    pub async fn look_for_unknown(&self) {
        self.look(Reason::Unknown).await;
    }

    async fn look(&self, reason: Reason<'_>) {
        if let Kind::Cached { values, place } = &self.0 {
            values.look(reason, *place).await;
        }
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Secret {
        Secret(Kind::Plain(value.into()))
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Secret {
        Secret(Kind::Plain(value.into()))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown() {
        let secret = Secret::from("tok3n");
        assert_eq!(
            (&*secret.value(), format!("{secret:?}")),
            ("tok3n", "Secret(…)".to_owned())
        );
    }
}
