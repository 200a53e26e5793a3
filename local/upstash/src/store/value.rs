//! The values of keys.

use std::collections::{BTreeMap, VecDeque};

use indexmap::{IndexMap, IndexSet};

use super::{SortedSet, Stream};
use crate::number::parse_i64;

/// Up to this size, a set of integers is returned in sorted order, like Redis's intsets.
const SORTED_INTEGERS: usize = 512;
/// Up to this size, a hash keeps the order in which its fields were added.
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

    /// Whether the key has to be removed: every collection except a stream is, once it is
    /// empty.
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

/// Fields and values in insertion order. Some fields have an expiry.
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

    /// Sets a field and removes its expiry. Returns true if the field is new.
    pub fn set(&mut self, field: &[u8], value: Vec<u8>) -> bool {
        if !self.expiries.is_empty() {
            self.expiries.remove(field);
        }
        self.set_keeping_expiry(field, value)
    }

    /// Sets a field and keeps its expiry. Returns true if the field is new.
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

    /// The expiry of a field, in Unix milliseconds.
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

    /// Removes the fields that have expired at `now_ms` and returns them.
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

/// A set's members in the order that clients see: integers ascending, others as added.
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
