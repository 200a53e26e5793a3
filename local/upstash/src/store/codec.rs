//! Encodes values and commands as bytes for the file. Lengths are LEB128.

use super::database::Entry;
use super::stream::{Consumer, Group, Pending};
use super::{Hash, SortedSet, Stream, StreamId, Value};

/// The content of the file cannot be decoded.
#[derive(Debug, thiserror::Error)]
#[error("a stored value cannot be decoded")]
pub struct Damaged;

pub fn encode_command(args: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(args.iter().map(|arg| arg.len() + 3).sum::<usize>() + 2);
    put_all(&mut out, args.iter());
    out
}

pub fn decode_command(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Damaged> {
    Reader(bytes).list()
}

/// The encoded value. Its type and expiry are stored in other columns.
pub fn encode_value(entry: &Entry) -> Vec<u8> {
    let mut out = Vec::new();
    match &entry.value {
        Value::String(text) => out.extend_from_slice(text),
        Value::List(list) => put_all(&mut out, list.iter()),
        Value::Set(set) => put_all(&mut out, set.iter()),
        Value::Hash(hash) => {
            put_number(&mut out, hash.len() as u64);
            for (field, value) in hash.iter() {
                put(&mut out, field);
                put(&mut out, value);
                put_number(
                    &mut out,
                    hash.expiry(field).map_or(0, |at_ms| at_ms as u64 + 1),
                );
            }
        }
        Value::SortedSet(set) => {
            put_number(&mut out, set.len() as u64);
            for (member, score) in set.iter() {
                put(&mut out, member);
                out.extend_from_slice(&score.to_bits().to_le_bytes());
            }
        }
        Value::Stream(stream) => put_stream(&mut out, stream),
    }
    out
}

pub fn decode_value(kind: &str, body: &[u8]) -> Result<Value, Damaged> {
    let mut reader = Reader(body);
    Ok(match kind {
        "string" => Value::String(body.to_vec()),
        "list" => Value::List(reader.list()?.into()),
        "set" => Value::Set(reader.list()?.into_iter().collect()),
        "hash" => {
            let mut hash = Hash::default();
            for _ in 0..reader.number()? {
                let field = reader.bytes()?.to_vec();
                hash.set(&field, reader.bytes()?.to_vec());
                let at_ms = reader.number()?;
                if at_ms > 0 {
                    hash.set_expiry(&field, Some((at_ms - 1) as i64));
                }
            }
            Value::Hash(hash)
        }
        "zset" => {
            let mut set = SortedSet::default();
            for _ in 0..reader.number()? {
                let member = reader.bytes()?;
                let bits = reader.take(8)?.try_into().map_err(|_| Damaged)?;
                set.insert(member, f64::from_bits(u64::from_le_bytes(bits)));
            }
            Value::SortedSet(set)
        }
        "stream" => Value::Stream(reader.stream()?),
        _ => return Err(Damaged),
    })
}

fn put_number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_all<'a>(out: &mut Vec<u8>, items: impl ExactSizeIterator<Item = &'a Vec<u8>>) {
    put_number(out, items.len() as u64);
    for item in items {
        put(out, item);
    }
}

fn put_id(out: &mut Vec<u8>, id: StreamId) {
    put_number(out, id.ms);
    put_number(out, id.seq);
}

fn put_stream(out: &mut Vec<u8>, stream: &Stream) {
    put_id(out, stream.last_id);
    put_id(out, stream.max_deleted);
    put_number(out, stream.n_added);
    put_number(out, stream.entries.len() as u64);
    for (id, fields) in &stream.entries {
        put_id(out, *id);
        put_all(out, fields.iter());
    }
    put_number(out, stream.groups.len() as u64);
    for (name, group) in &stream.groups {
        put(out, name);
        put_id(out, group.last_delivered);
        put_number(out, group.n_read.map_or(0, |n| n + 1));
        put_number(out, group.consumers.len() as u64);
        for (name, consumer) in &group.consumers {
            put(out, name);
            put_number(out, consumer.seen_ms as u64);
        }
        put_number(out, group.pending.len() as u64);
        for (id, pending) in &group.pending {
            put_id(out, *id);
            put(out, &pending.consumer);
            put_number(out, pending.delivered_ms as u64);
            put_number(out, pending.n_delivered);
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], Damaged> {
        let (taken, rest) = self.0.split_at_checked(n).ok_or(Damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u64, Damaged> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Damaged)
    }

    fn bytes(&mut self) -> Result<&'a [u8], Damaged> {
        let n = usize::try_from(self.number()?).map_err(|_| Damaged)?;
        self.take(n)
    }

    fn list(&mut self) -> Result<Vec<Vec<u8>>, Damaged> {
        let n = self.number()?;
        (0..n).map(|_| self.bytes().map(<[u8]>::to_vec)).collect()
    }

    fn id(&mut self) -> Result<StreamId, Damaged> {
        Ok(StreamId {
            ms: self.number()?,
            seq: self.number()?,
        })
    }

    fn stream(&mut self) -> Result<Stream, Damaged> {
        let mut stream = Stream {
            last_id: self.id()?,
            max_deleted: self.id()?,
            n_added: self.number()?,
            ..Stream::default()
        };
        for _ in 0..self.number()? {
            let id = self.id()?;
            stream.entries.insert(id, self.list()?);
        }
        for _ in 0..self.number()? {
            let name = self.bytes()?.to_vec();
            let group = self.group()?;
            stream.groups.insert(name, group);
        }
        Ok(stream)
    }

    fn group(&mut self) -> Result<Group, Damaged> {
        let mut group = Group {
            last_delivered: self.id()?,
            n_read: self.number()?.checked_sub(1),
            ..Group::default()
        };
        for _ in 0..self.number()? {
            let name = self.bytes()?.to_vec();
            let seen_ms = self.number()? as i64;
            let consumer = Consumer {
                seen_ms,
                ..Consumer::default()
            };
            group.consumers.insert(name, consumer);
        }
        for _ in 0..self.number()? {
            let id = self.id()?;
            let consumer = self.bytes()?.to_vec();
            let pending = Pending {
                consumer: consumer.clone(),
                delivered_ms: self.number()? as i64,
                n_delivered: self.number()?,
            };
            group.pending.insert(id, pending);
            group
                .consumers
                .entry(consumer)
                .or_default()
                .pending
                .insert(id);
        }
        Ok(group)
    }
}
