//! What is cached: kinds of values with their lifetimes, and the location of one value.

use std::marker::PhantomData;
use std::time::Duration;

use super::Keys;

/// The lifetimes of one kind of value.
#[derive(Debug)]
pub struct Kind {
    /// The name that appears in the key.
    pub name: &'static str,
    /// The age at which a value becomes stale.
    pub ttl: Duration,
    /// How long a stale value is still returned while one caller reloads it, or if it
    /// cannot be reloaded.
    pub stale: Duration,
    /// How long "does not exist" is trusted.
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

/// The guilds that the bot is in, 300 s.
pub static GUILDS: Kind = Kind {
    name: "guilds",
    ttl: Duration::from_secs(300),
    stale: Duration::from_secs(300),
    negative: Duration::from_secs(60),
};

/// The channels and active threads of a guild, 300 s.
pub static CHANNELS: Kind = Kind {
    name: "channels",
    ttl: Duration::from_secs(300),
    stale: Duration::from_secs(300),
    negative: Duration::from_secs(60),
};

/// Guild settings, 60 s.
pub static SETTINGS: Kind = Kind {
    name: "settings",
    ttl: Duration::from_secs(60),
    stale: Duration::from_secs(60),
    negative: Duration::from_secs(60),
};

/// The links in a message, until the first of them expires; a day at most.
pub static LINKS: Kind = Kind {
    name: "links",
    ttl: Duration::from_secs(24 * 3600),
    stale: Duration::ZERO,
    negative: Duration::from_secs(60),
};

/// Which guild a channel is in, which never changes.
pub static HOME: Kind = Kind {
    name: "home",
    ttl: Duration::from_secs(24 * 3600),
    stale: Duration::from_secs(24 * 3600),
    negative: Duration::from_secs(60),
};

/// How long an epoch is kept. It outlives every value that may carry an older epoch.
pub(super) const EPOCH_LIFE: Duration = Duration::from_secs(3600);

/// The location of one value of type `T`.
pub struct Entry<T> {
    pub(super) kind: &'static Kind,
    pub(super) id: String,
    /// The parent whose invalidation removes this value.
    pub(super) parent: Option<String>,
    /// Until when a value is good, in unix milliseconds, if it says so itself.
    pub(super) good_until: fn(&T) -> Option<i64>,
    value: PhantomData<fn() -> T>,
}

impl<T> Entry<T> {
    /// Returns the location of the value of `kind` with this id.
    pub fn new(kind: &'static Kind, id: &str) -> Entry<T> {
        Entry {
            kind,
            id: id.to_owned(),
            parent: None,
            good_until: |_| None,
            value: PhantomData,
        }
    }

    /// Makes the value a child of `parent`: invalidating the parent removes it.
    pub fn under(mut self, parent: &str) -> Entry<T> {
        self.parent = Some(parent.to_owned());
        self
    }

    /// A value says itself until when it is good, in unix milliseconds. It is kept until
    /// then, or as long as its kind allows, whichever ends first.
    pub fn good_until(mut self, good_until: fn(&T) -> Option<i64>) -> Entry<T> {
        self.good_until = good_until;
        self
    }

    /// The key of the value, and the key of its epoch if it has a parent.
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
            good_until: self.good_until,
            value: PhantomData,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_outlives_every_value_that_carries_an_older_one() {
        for kind in [&GUILD, &GUILDS, &CHANNEL, &CHANNELS, &SETTINGS] {
            assert!(kind.ttl + kind.stale < EPOCH_LIFE, "{}", kind.name);
            assert!(kind.negative <= kind.ttl, "{}", kind.name);
        }
    }
}
