//! One keyspace: values, their expiry, and which keys changed.
//!
//! Expiry is eager and exact. [`Database::remove_due`] runs before every command with the
//! time of that command, so a command never sees an expired key. Time stands still within
//! a script or transaction, so no key expires in the middle of one.

use std::collections::{BTreeSet, HashSet};

use super::keyspace::Keyspace;
use super::{Hash, List, Set, SortedSet, Stream, Value};
use crate::errors::CommandError;
use crate::random::Random;

#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub value: Value,
    /// Unix milliseconds.
    pub expire_at_ms: Option<i64>,
}

#[derive(Default)]
pub struct Database {
    entries: Keyspace<Entry>,
    /// Keys with an expiry, and hashes with a field that has one.
    due: BTreeSet<(i64, Box<[u8]>)>,
    changes: Changes,
}

/// Changes since the last compaction.
#[derive(Default)]
struct Changes {
    n: u64,
    /// Keys to write to the next snapshot. `None` if nothing is persisted.
    touched: Option<HashSet<Box<[u8]>>>,
    cleared: bool,
}

impl Changes {
    fn note(&mut self, key: &[u8]) {
        self.n += 1;
        if let Some(touched) = &mut self.touched
            && !touched.contains(key)
        {
            touched.insert(key.into());
        }
    }
}

/// The content of the next snapshot.
#[derive(Default)]
pub struct Dirty {
    /// Delete every older snapshot of this database first.
    pub cleared: bool,
    /// Keys that were written or removed.
    pub keys: Vec<Box<[u8]>>,
}

/// What has expired.
pub enum Expired {
    Key(Vec<u8>),
    Fields(Vec<u8>, Vec<Vec<u8>>),
}

macro_rules! typed {
    ($variant:ident, $kind:ty, $get:ident, $get_mut:ident, $get_or_create:ident) => {
        /// The value of a key of this type, or `None` if the key is missing.
        pub fn $get(&self, key: &[u8]) -> Result<Option<&$kind>, CommandError> {
            match self.value(key) {
                None => Ok(None),
                Some(Value::$variant(value)) => Ok(Some(value)),
                Some(_) => Err(CommandError::WRONG_TYPE),
            }
        }

        /// Like the above, for modification. Counts as a change.
        pub fn $get_mut(&mut self, key: &[u8]) -> Result<Option<&mut $kind>, CommandError> {
            match self.entries.get_mut(key) {
                None => Ok(None),
                Some(Entry {
                    value: Value::$variant(value),
                    ..
                }) => {
                    self.changes.note(key);
                    Ok(Some(value))
                }
                Some(_) => Err(CommandError::WRONG_TYPE),
            }
        }

        /// Like the above, but creates an empty value if the key is missing.
        pub fn $get_or_create(&mut self, key: &[u8]) -> Result<&mut $kind, CommandError> {
            if self.entries.get(key).is_none() {
                self.set(key, Value::$variant(Default::default()));
            }
            self.$get_mut(key)?.ok_or(CommandError::NO_SUCH_KEY)
        }
    };
}

impl Database {
    typed!(String, Vec<u8>, string, string_mut, string_or_create);
    typed!(List, List, list, list_mut, list_or_create);
    typed!(Hash, Hash, hash, hash_mut, hash_or_create);
    typed!(Set, Set, set_value, set_mut, set_or_create);
    typed!(
        SortedSet,
        SortedSet,
        sorted_set,
        sorted_set_mut,
        sorted_set_or_create
    );
    typed!(Stream, Stream, stream, stream_mut, stream_or_create);

    /// A counter that grows with every change. If it is equal before and after, nothing
    /// was written.
    pub fn n_changes(&self) -> u64 {
        self.changes.n
    }

    /// Starts tracking changed keys for [`Database::take_dirty`].
    pub fn track_changes(&mut self) {
        self.changes.touched.get_or_insert_default();
    }

    /// The changes since the last call.
    pub fn take_dirty(&mut self) -> Dirty {
        let touched = self.changes.touched.as_mut().map(std::mem::take);
        Dirty {
            cleared: std::mem::take(&mut self.changes.cleared),
            keys: touched.into_iter().flatten().collect(),
        }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Number of keys with an expiry.
    pub fn n_expiring(&self) -> usize {
        self.entries
            .iter()
            .filter(|(_, entry)| entry.expire_at_ms.is_some())
            .count()
    }

    pub fn contains(&self, key: &[u8]) -> bool {
        self.entries.get(key).is_some()
    }

    pub fn value(&self, key: &[u8]) -> Option<&Value> {
        self.entries.get(key).map(|entry| &entry.value)
    }

    pub fn entry(&self, key: &[u8]) -> Option<&Entry> {
        self.entries.get(key)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &Entry)> {
        self.entries.iter()
    }

    /// Entries from a scan position on.
    pub fn starting_at(&self, position: u64) -> impl Iterator<Item = (u64, &[u8], &Entry)> {
        self.entries.starting_at(position)
    }

    /// Sets a key and removes its expiry.
    pub fn set(&mut self, key: &[u8], value: Value) {
        self.put(
            key,
            Entry {
                value,
                expire_at_ms: None,
            },
        );
    }

    /// Sets a key and keeps its expiry.
    pub fn set_keeping_expiry(&mut self, key: &[u8], value: Value) {
        match self.entries.get_mut(key) {
            Some(entry) => {
                entry.value = value;
                self.changes.note(key);
            }
            None => self.set(key, value),
        }
    }

    /// Sets the value and the expiry of a key.
    pub fn put(&mut self, key: &[u8], entry: Entry) {
        self.changes.note(key);
        if let Some(at_ms) = entry.expire_at_ms {
            self.due.insert((at_ms, key.into()));
        }
        let field_due = match &entry.value {
            Value::Hash(hash) => hash.next_expiry(),
            _ => None,
        };
        if let Some(at_ms) = field_due {
            self.due.insert((at_ms, key.into()));
        }
        if let Some(old) = self.entries.insert(key, entry) {
            self.forget_due(key, old.expire_at_ms);
        }
    }

    pub fn remove(&mut self, key: &[u8]) -> Option<Entry> {
        let entry = self.entries.remove(key)?;
        self.changes.note(key);
        if let Some(at_ms) = entry.expire_at_ms {
            self.due.remove(&(at_ms, key.into()));
        }
        Some(entry)
    }

    /// Removes a collection if it is empty.
    pub fn remove_if_empty(&mut self, key: &[u8]) {
        if self.value(key).is_some_and(Value::is_empty) {
            self.remove(key);
        }
    }

    pub fn clear(&mut self) {
        self.changes.n += 1;
        self.changes.cleared = true;
        if let Some(touched) = &mut self.changes.touched {
            touched.clear();
        }
        self.entries.clear();
        self.due.clear();
    }

    /// Sets or removes a key's expiry. Returns false if the key is missing.
    pub fn set_expiry(&mut self, key: &[u8], at_ms: Option<i64>) -> bool {
        let Some(entry) = self.entries.get_mut(key) else {
            return false;
        };
        self.changes.note(key);
        let old = std::mem::replace(&mut entry.expire_at_ms, at_ms);
        if let Some(old) = old {
            self.due.remove(&(old, key.into()));
        }
        if let Some(at_ms) = at_ms {
            self.due.insert((at_ms, key.into()));
        }
        true
    }

    /// Removes everything that has expired at `now_ms` and returns it.
    pub fn remove_due(&mut self, now_ms: i64) -> Vec<Expired> {
        let mut expired = Vec::new();
        while let Some((at_ms, _)) = self.due.first()
            && *at_ms <= now_ms
        {
            let Some((_, key)) = self.due.pop_first() else {
                break;
            };
            let Some(entry) = self.entries.get_mut(&key) else {
                continue;
            };
            if entry.expire_at_ms.is_some_and(|at_ms| at_ms <= now_ms) {
                self.remove(&key);
                expired.push(Expired::Key(key.into_vec()));
                continue;
            }
            let Value::Hash(hash) = &mut entry.value else {
                continue;
            };
            let fields = hash.remove_due(now_ms);
            let next = hash.next_expiry();
            if let Some(at_ms) = next {
                self.due.insert((at_ms, key.clone()));
            }
            if !fields.is_empty() {
                self.changes.note(&key);
                self.remove_if_empty(&key);
                expired.push(Expired::Fields(key.into_vec(), fields));
            }
        }
        expired
    }

    /// A random key, found at a random position of the scan order.
    pub fn random_key(&self, random: &mut Random) -> Option<Vec<u8>> {
        let position = random.next_u64() >> 12;
        self.entries
            .starting_at(position)
            .next()
            .or_else(|| self.entries.starting_at(0).next())
            .map(|(_, key, _)| key.to_vec())
    }

    fn forget_due(&mut self, key: &[u8], old: Option<i64>) {
        if let Some(old) = old
            && self.entries.get(key).and_then(|entry| entry.expire_at_ms) != Some(old)
        {
            self.due.remove(&(old, key.into()));
        }
    }
}
