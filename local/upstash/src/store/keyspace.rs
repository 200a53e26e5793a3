//! A map in a fixed hash order, which makes SCAN stateless.
//!
//! A cursor is the hash of the next key to visit. A key never changes its position, so a
//! full scan returns every key that exists throughout, whatever is added or removed
//! meanwhile.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The scan position of `name`: 52 bits, so that clients which parse cursors as
/// floating-point numbers do not round them.
pub fn scan_position(name: &[u8]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in name {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash >> 12
}

trait Positioned {
    fn position(&self) -> u64;
    fn name(&self) -> &[u8];
}

struct Key {
    position: u64,
    name: Box<[u8]>,
}

struct Probe<'a> {
    position: u64,
    name: &'a [u8],
}

impl Positioned for Key {
    fn position(&self) -> u64 {
        self.position
    }
    fn name(&self) -> &[u8] {
        &self.name
    }
}

impl Positioned for Probe<'_> {
    fn position(&self) -> u64 {
        self.position
    }
    fn name(&self) -> &[u8] {
        self.name
    }
}

impl<'a> Borrow<dyn Positioned + 'a> for Key {
    fn borrow(&self) -> &(dyn Positioned + 'a) {
        self
    }
}

impl PartialEq for dyn Positioned + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for dyn Positioned + '_ {}

impl PartialOrd for dyn Positioned + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for dyn Positioned + '_ {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.position(), self.name()).cmp(&(other.position(), other.name()))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.position, &self.name).cmp(&(other.position, &other.name))
    }
}

/// Keys and their values, iterated in scan order.
pub struct Keyspace<V> {
    map: BTreeMap<Key, V>,
}

impl<V> Default for Keyspace<V> {
    fn default() -> Self {
        Self {
            map: BTreeMap::new(),
        }
    }
}

impl<V> Keyspace<V> {
    pub fn len(&self) -> usize {
        self.map.len()
    }

    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    pub fn get(&self, name: &[u8]) -> Option<&V> {
        self.map.get(&probe(name) as &dyn Positioned)
    }

    pub fn get_mut(&mut self, name: &[u8]) -> Option<&mut V> {
        self.map.get_mut(&probe(name) as &dyn Positioned)
    }

    pub fn insert(&mut self, name: &[u8], value: V) -> Option<V> {
        let key = Key {
            position: scan_position(name),
            name: name.into(),
        };
        self.map.insert(key, value)
    }

    pub fn remove(&mut self, name: &[u8]) -> Option<V> {
        self.map.remove(&probe(name) as &dyn Positioned)
    }

    pub fn clear(&mut self) {
        self.map.clear();
    }

    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &V)> {
        self.map.iter().map(|(key, value)| (&*key.name, value))
    }

    /// Entries from a position on, with their positions.
    pub fn starting_at(&self, position: u64) -> impl Iterator<Item = (u64, &[u8], &V)> {
        let first = Key {
            position,
            name: Box::default(),
        };
        self.map
            .range(first..)
            .map(|(key, value)| (key.position, &*key.name, value))
    }
}

fn probe(name: &[u8]) -> Probe<'_> {
    Probe {
        position: scan_position(name),
        name,
    }
}
