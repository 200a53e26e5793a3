//! What a key can hold.

use std::collections::{BTreeMap, VecDeque};

use indexmap::{IndexMap, IndexSet};

use super::{SortedSet, Stream};
use crate::number::parse_i64;

/// Up to this many members a set of whole numbers comes back sorted, as Redis'
/// integer sets do.
const SORTED_INTEGERS: usize = 512;
/// Up to this many fields a hash keeps the order its fields were added in.
const ORDERED_FIELDS: usize = 512;

pub type List = VecDeque<Vec<u8>>;
pub type Set = IndexSet<Vec<u8>>;

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    String(Vec<u8>),
    List(List),
    Hash(Hash),
    Set(Set),
    SortedSet(SortedSet),
    Stream(Stream),
}

impl Value {
    /// What TYPE answers.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::String(_) => "string",
            Self::List(_) => "list",
            Self::Hash(_) => "hash",
            Self::Set(_) => "set",
            Self::SortedSet(_) => "zset",
            Self::Stream(_) => "stream",
        }
    }

    /// Whether the key goes away: every collection but a stream does when emptied.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::String(_) | Self::Stream(_) => false,
            Self::List(list) => list.is_empty(),
            Self::Hash(hash) => hash.is_empty(),
            Self::Set(set) => set.is_empty(),
            Self::SortedSet(set) => set.is_empty(),
        }
    }
}

/// Fields and values in insertion order, with a time of expiry for some of the fields.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hash {
    fields: IndexMap<Vec<u8>, Vec<u8>>,
    expiries: BTreeMap<Vec<u8>, i64>,
}

impl Hash {
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    pub fn get(&self, field: &[u8]) -> Option<&Vec<u8>> {
        self.fields.get(field)
    }

    pub fn contains(&self, field: &[u8]) -> bool {
        self.fields.contains_key(field)
    }

    /// Sets a field and forgets its expiry. True when it is new.
    pub fn set(&mut self, field: &[u8], value: Vec<u8>) -> bool {
        if !self.expiries.is_empty() {
            self.expiries.remove(field);
        }
        self.set_keeping_expiry(field, value)
    }

    /// Sets a field, whatever its expiry. True when it is new.
    pub fn set_keeping_expiry(&mut self, field: &[u8], value: Vec<u8>) -> bool {
        match self.fields.get_mut(field) {
            Some(present) => {
                *present = value;
                false
            }
            None => {
                self.fields.insert(field.to_vec(), value);
                true
            }
        }
    }

    pub fn remove(&mut self, field: &[u8]) -> Option<Vec<u8>> {
        if !self.expiries.is_empty() {
            self.expiries.remove(field);
        }
        if self.fields.len() > ORDERED_FIELDS {
            self.fields.swap_remove(field)
        } else {
            self.fields.shift_remove(field)
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Vec<u8>, &Vec<u8>)> {
        self.fields.iter()
    }

    pub fn at(&self, index: usize) -> Option<(&Vec<u8>, &Vec<u8>)> {
        self.fields.get_index(index)
    }

    /// When the field goes away, in Unix milliseconds.
    pub fn expiry(&self, field: &[u8]) -> Option<i64> {
        self.expiries.get(field).copied()
    }

    pub fn set_expiry(&mut self, field: &[u8], at_ms: Option<i64>) {
        match at_ms {
            Some(at_ms) if self.fields.contains_key(field) => {
                self.expiries.insert(field.to_vec(), at_ms);
            }
            _ => {
                self.expiries.remove(field);
            }
        }
    }

    pub fn expiries(&self) -> impl Iterator<Item = (&Vec<u8>, i64)> {
        self.expiries.iter().map(|(field, at_ms)| (field, *at_ms))
    }

    /// The earliest field expiry.
    pub fn next_expiry(&self) -> Option<i64> {
        self.expiries.values().min().copied()
    }

    /// Removes the fields due at `now_ms` and returns them.
    pub fn remove_due(&mut self, now_ms: i64) -> Vec<Vec<u8>> {
        let due: Vec<Vec<u8>> = self
            .expiries()
            .filter(|(_, at_ms)| *at_ms <= now_ms)
            .map(|(field, _)| field.clone())
            .collect();
        for field in &due {
            self.remove(field);
        }
        due
    }
}

/// A set's members in the order clients see: whole numbers ascending, else as added.
pub fn ordered_members(set: &Set) -> Vec<&Vec<u8>> {
    let mut members: Vec<&Vec<u8>> = set.iter().collect();
    if members.len() <= SORTED_INTEGERS {
        let numbers: Option<Vec<i64>> = members.iter().map(|member| parse_i64(member)).collect();
        if numbers.is_some() {
            members.sort_by_key(|member| parse_i64(member));
        }
    }
    members
}
