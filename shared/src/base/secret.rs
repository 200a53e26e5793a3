//! A secret as its user has it.

use std::sync::Arc;

use futures_util::future::BoxFuture;

/// Why a newer value is looked for.
#[derive(Clone, Copy, Debug)]
pub enum Reason<'a> {
    /// The values may be too old.
    Age,
    /// A caller brought a key that is none.
    Unknown,
    /// A service refused this value.
    Refused(&'a str),
}

/// Knows the newest values of several secrets, each by its place.
pub trait Keep: Send + Sync + 'static {
    /// The value to use now.
    fn value(&self, place: usize) -> Arc<str>;

    /// Reads the values again if there is reason to; it may decide that it did so just now.
    fn look<'a>(&'a self, reason: Reason<'a>, place: usize) -> BoxFuture<'a, ()>;
}

/// A secret: one value, or the newest that its keeper knows. Clones are the same
/// secret. It is never shown.
#[derive(Clone)]
pub struct Secret(Kind);

#[derive(Clone)]
enum Kind {
    Plain(Arc<str>),
    Kept { keeper: Arc<dyn Keep>, place: usize },
}

impl Secret {
    /// The one at `place` of a keeper.
    pub fn kept(keeper: Arc<dyn Keep>, place: usize) -> Secret {
        Secret(Kind::Kept { keeper, place })
    }

    /// The value to use now.
    pub fn value(&self) -> Arc<str> {
        match &self.0 {
            Kind::Plain(value) => value.clone(),
            Kind::Kept { keeper, place } => keeper.value(*place),
        }
    }

    /// Has values read again that are too old. Every secret of the same keeper is
    /// fresh then as well.
    pub async fn freshen(&self) {
        self.look(Reason::Age).await;
    }

    /// Looks for a newer value when a service refused `refused`; true if there is one.
    pub async fn renew(&self, refused: &str) -> bool {
        self.look(Reason::Refused(refused)).await;
        *self.value() != *refused
    }

    /// Looks for newer values when a caller brought a key that is none. To be asked by
    /// anybody, so it does not look often.
    pub async fn look_for_unknown(&self) {
        self.look(Reason::Unknown).await;
    }

    async fn look(&self, reason: Reason<'_>) {
        if let Kind::Kept { keeper, place } = &self.0 {
            keeper.look(reason, *place).await;
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
