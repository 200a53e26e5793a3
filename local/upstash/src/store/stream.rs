//! Append-only entries with consumer groups.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::number::parse_i64;

/// `<milliseconds>-<sequence>`, ordered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    pub ms: u64,
    pub seq: u64,
}

impl StreamId {
    pub const MIN: Self = Self { ms: 0, seq: 0 };
    pub const MAX: Self = Self {
        ms: u64::MAX,
        seq: u64::MAX,
    };

    pub fn next(self) -> Option<Self> {
        match self.seq.checked_add(1) {
            Some(seq) => Some(Self { ms: self.ms, seq }),
            None => self.ms.checked_add(1).map(|ms| Self { ms, seq: 0 }),
        }
    }

    pub fn previous(self) -> Option<Self> {
        match self.seq.checked_sub(1) {
            Some(seq) => Some(Self { ms: self.ms, seq }),
            None => self.ms.checked_sub(1).map(|ms| Self { ms, seq: u64::MAX }),
        }
    }

    /// Parses `ms` or `ms-seq`. `missing_seq` replaces an absent sequence number.
    pub fn parse(text: &[u8], missing_seq: u64) -> Option<Self> {
        let mut parts = text.splitn(2, |byte| *byte == b'-');
        let ms = parse_u64(parts.next()?)?;
        let seq = match parts.next() {
            Some(seq) => parse_u64(seq)?,
            None => missing_seq,
        };
        Some(Self { ms, seq })
    }

    pub fn to_bytes(self) -> Vec<u8> {
        self.to_string().into_bytes()
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.ms, self.seq)
    }
}

pub fn parse_u64(text: &[u8]) -> Option<u64> {
    if let Some(value) = parse_i64(text) {
        return u64::try_from(value).ok();
    }
    if text
        .first()
        .is_none_or(|byte| !byte.is_ascii_digit() || *byte == b'0')
    {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Alternating fields and values.
pub type Fields = Vec<Vec<u8>>;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stream {
    pub entries: BTreeMap<StreamId, Fields>,
    pub last_id: StreamId,
    /// Entries ever added, including deleted ones.
    pub n_added: u64,
    pub max_deleted: StreamId,
    pub groups: BTreeMap<Vec<u8>, Group>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Group {
    pub last_delivered: StreamId,
    /// Entries read so far. Unknown after a jump over deleted entries.
    pub n_read: Option<u64>,
    pub pending: BTreeMap<StreamId, Pending>,
    pub consumers: BTreeMap<Vec<u8>, Consumer>,
}

/// An entry that was delivered but not yet acknowledged.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    pub consumer: Vec<u8>,
    pub delivered_ms: i64,
    pub n_delivered: u64,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Consumer {
    pub seen_ms: i64,
    pub pending: BTreeSet<StreamId>,
}

impl Stream {
    pub fn first_id(&self) -> Option<StreamId> {
        self.entries.keys().next().copied()
    }

    /// Adds an entry. The caller has checked that the ID is greater than the last one.
    pub fn append(&mut self, id: StreamId, fields: Fields) {
        self.entries.insert(id, fields);
        self.last_id = id;
        self.n_added += 1;
    }

    pub fn delete(&mut self, id: StreamId) -> bool {
        let removed = self.entries.remove(&id).is_some();
        if removed && id > self.max_deleted {
            self.max_deleted = id;
        }
        removed
    }

    /// Removes the oldest entries until at most `max_len` remain, but no more than
    /// `limit` of them.
    pub fn trim_to_length(&mut self, max_len: usize, limit: Option<usize>) -> usize {
        let surplus = self.entries.len().saturating_sub(max_len);
        self.drop_oldest(limit.map_or(surplus, |limit| surplus.min(limit)))
    }

    /// Removes entries below `min_id`, but no more than `limit` of them.
    pub fn trim_to_id(&mut self, min_id: StreamId, limit: Option<usize>) -> usize {
        let surplus = self.entries.range(..min_id).count();
        self.drop_oldest(limit.map_or(surplus, |limit| surplus.min(limit)))
    }

    fn drop_oldest(&mut self, n: usize) -> usize {
        for _ in 0..n {
            if let Some((id, _)) = self.entries.pop_first()
                && id > self.max_deleted
            {
                self.max_deleted = id;
            }
        }
        n
    }

    /// Whether an entry at or after `from` was deleted, which makes counts uncertain.
    fn has_tombstone_from(&self, from: StreamId) -> bool {
        !self.entries.is_empty() && self.max_deleted != StreamId::MIN && self.max_deleted >= from
    }

    /// The number of entries added up to `id`, if it is known.
    pub fn n_added_up_to(&self, id: StreamId) -> Option<u64> {
        if self.n_added == 0 {
            return Some(0);
        }
        if self.entries.is_empty() && id < self.last_id {
            return None;
        }
        if id == self.last_id {
            return Some(self.n_added);
        }
        if id > self.last_id {
            return None;
        }
        let first = self.first_id()?;
        if self.max_deleted == StreamId::MIN || self.max_deleted < first {
            let before_first = self.n_added - self.entries.len() as u64;
            if id < first {
                return Some(before_first);
            }
            if id == first {
                return Some(before_first + 1);
            }
        }
        None
    }

    /// The number of entries that the group has not read, if it is known.
    pub fn lag(&self, group: &Group) -> Option<u64> {
        if self.n_added == 0 {
            return Some(0);
        }
        if let Some(n_read) = group.n_read
            && !self.has_tombstone_from(group.last_delivered)
        {
            return Some(self.n_added.saturating_sub(n_read));
        }
        self.n_added_up_to(group.last_delivered)
            .map(|n_read| self.n_added.saturating_sub(n_read))
    }

    /// Moves a group's position to the entry it was just given.
    pub fn advance(&self, group: &mut Group, id: StreamId) {
        group.n_read = match group.n_read {
            Some(n_read) if !self.has_tombstone_from(id) => Some(n_read + 1),
            _ if self.n_added > 0 => self.n_added_up_to(id),
            other => other,
        };
        group.last_delivered = id;
    }
}

impl Group {
    /// Assigns an entry to a consumer, taking it from its previous owner.
    pub fn assign(&mut self, id: StreamId, consumer: &[u8], now_ms: i64, n_delivered: u64) {
        self.forget(id);
        self.pending.insert(
            id,
            Pending {
                consumer: consumer.to_vec(),
                delivered_ms: now_ms,
                n_delivered,
            },
        );
        let consumer = self
            .consumers
            .entry(consumer.to_vec())
            .or_insert_with(|| Consumer {
                seen_ms: now_ms,
                ..Consumer::default()
            });
        consumer.pending.insert(id);
    }

    /// Removes a pending entry because it was acknowledged or deleted.
    pub fn forget(&mut self, id: StreamId) -> bool {
        let Some(pending) = self.pending.remove(&id) else {
            return false;
        };
        if let Some(consumer) = self.consumers.get_mut(&pending.consumer) {
            consumer.pending.remove(&id);
        }
        true
    }
}
