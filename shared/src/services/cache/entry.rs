//! What is cached: kinds with their times, and the place of one value.

use std::marker::PhantomData;
use std::time::Duration;

use super::Keys;

/// How long values of one kind are good for.
#[derive(Debug)]
pub struct Kind {
    /// As it stands in the key.
    pub name: &'static str,
    /// A value this old is stale.
    pub ttl: Duration,
    /// For how long after that it is still given out while one caller loads it anew, or
    /// when it cannot be loaded.
    pub stale: Duration,
    /// How long "there is none" is believed.
    pub negative: Duration,
}

/// Guilds, 300 s.
pub static GUILD: Kind = Kind {
    name: "guild",
    ttl: Duration::from_secs(300),
    stale: Duration::from_secs(300),
    negative: Duration::from_secs(60),
};

/// Channels and threads, 600 s.
pub static CHANNEL: Kind = Kind {
    name: "channel",
    ttl: Duration::from_secs(600),
    stale: Duration::from_secs(300),
    negative: Duration::from_secs(60),
};

/// Settings of guilds, 60 s.
pub static SETTINGS: Kind = Kind {
    name: "settings",
    ttl: Duration::from_secs(60),
    stale: Duration::from_secs(60),
    negative: Duration::from_secs(60),
};

/// How long an epoch is kept: longer than any value that may carry an older one.
pub(super) const EPOCH_LIFE: Duration = Duration::from_secs(3600);

/// The place of one value of type `T`.
pub struct Entry<T> {
    pub(super) kind: &'static Kind,
    pub(super) id: String,
    /// What it is invalidated with.
    pub(super) parent: Option<String>,
    value: PhantomData<fn() -> T>,
}

impl<T> Entry<T> {
    /// The value of `kind` with this id.
    pub fn new(kind: &'static Kind, id: &str) -> Entry<T> {
        Entry {
            kind,
            id: id.to_owned(),
            parent: None,
            value: PhantomData,
        }
    }

    /// The same value, gone as soon as everything under `parent` is invalidated.
    pub fn under(mut self, parent: &str) -> Entry<T> {
        self.parent = Some(parent.to_owned());
        self
    }

    /// The key of the value, and that of the epoch it goes with.
    pub(super) fn keys(&self, keys: &Keys) -> Vec<String> {
        let value = keys.value(self.kind.name, &self.id);
        let epoch = self.parent.as_deref().map(|parent| keys.epoch(parent));
        std::iter::once(value).chain(epoch).collect()
    }
}

impl<T> Clone for Entry<T> {
    fn clone(&self) -> Entry<T> {
        Entry {
            kind: self.kind,
            id: self.id.clone(),
            parent: self.parent.clone(),
            value: PhantomData,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_outlives_every_value_that_carries_an_older_one() {
        for kind in [&GUILD, &CHANNEL, &SETTINGS] {
            assert!(kind.ttl + kind.stale < EPOCH_LIFE, "{}", kind.name);
            assert!(kind.negative <= kind.ttl, "{}", kind.name);
        }
    }
}
