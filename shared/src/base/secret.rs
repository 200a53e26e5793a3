//! A secret, as seen by the code that uses it.

use std::sync::Arc;

use futures_util::future::BoxFuture;

/// Why the values should be read again.
#[derive(Clone, Copy, Debug)]
pub enum Reason<'a> {
    /// The values may be too old.
    Age,
    /// A caller sent an unknown key.
    Unknown,
    /// A service refused this value.
    Refused(&'a str),
}

/// A source of the newest values of several secrets, each with a position.
pub trait Values: Send + Sync + 'static {
    /// The value to use now.
    fn value(&self, place: usize) -> Arc<str>;

    /// Reads the values again if `reason` justifies it. It may decide that it did so
    /// recently.
    fn look<'a>(&'a self, reason: Reason<'a>, place: usize) -> BoxFuture<'a, ()>;
}

/// A secret: either one fixed value, or the newest of a value that may change. Clones are
/// the same secret. `Debug` does not show it.
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
    /// The secret at position `place` in `values`.
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

    /// Reads values again that are too old. This refreshes all secrets that are read
    /// together with this one.
    pub async fn freshen(&self) {
        self.look(Reason::Age).await;
    }

    /// Looks for a newer value after a service refused `refused`. Returns whether there is
    /// one.
    pub async fn renew(&self, refused: &str) -> bool {
        self.look(Reason::Refused(refused)).await;
        *self.value() != *refused
    }

    /// Looks for newer values after a caller sent an unknown key. Anybody can cause this,
    /// so it happens at most once a minute.
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
