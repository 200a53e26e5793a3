//! A secret as its user has it.

use std::sync::Arc;

use super::Keeper;
use super::keeper::Reason;

/// A secret: one value, or the newest that its keeper knows. Clones are the same
/// secret. It is never shown.
#[derive(Clone)]
pub struct Secret(Kind);

#[derive(Clone)]
enum Kind {
    Plain(Arc<str>),
    Kept { keeper: Arc<Keeper>, place: usize },
}

impl Secret {
    pub(super) fn kept(keeper: Arc<Keeper>, place: usize) -> Secret {
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
