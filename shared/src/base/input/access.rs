//! Access to the items of an array and the fields of an object, without those that are left out.

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess};

use super::findings::{Path, Stop};
use super::json::Json;
use super::node::{Entry, Input, Node};

/// The items of an array, without those that are left out.
pub(super) struct Items<'a> {
    array: Node<'a>,
    items: std::iter::Enumerate<std::slice::Iter<'a, Json>>,
}

impl<'a> Items<'a> {
    pub fn new(array: Node<'a>, items: &'a [Json]) -> Items<'a> {
        Items {
            array,
            items: items.iter().enumerate(),
        }
    }
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Stop;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Stop> {
        let findings = self.array.findings;
        let address = |item| std::ptr::from_ref::<Json>(item) as usize;
        let next = self
            .items
            .find(|(_, item)| !findings.is_left_out(address(*item)));
        let Some((index, item)) = next else {
            return Ok(None);
        };
        let node = Node {
            input: Input::Json(item),
            address: address(item),
            path: &Path::Index(self.array.path, index),
            findings,
        };
        node.noted(seed.deserialize(node)).map(Some)
    }
}

/// The fields to read: those present, without those left out, plus the stand-ins.
pub(super) struct Fields<'a> {
    object: Node<'a>,
    /// The allowed names, if they are known.
    known: Option<&'static [&'static str]>,
    entries: std::vec::IntoIter<Entry<'a>>,
    value: Option<Entry<'a>>,
}

impl<'a> Fields<'a> {
    pub fn new(object: Node<'a>, known: Option<&'static [&'static str]>) -> Fields<'a> {
        let findings = object.findings;
        let mut entries = object.entries();
        entries.retain(|entry| !findings.is_left_out(entry.address));
        if known.is_some() {
            let stand_ins = findings.stand_ins(object.address).into_iter();
            entries.extend(stand_ins.map(|name| Entry {
                name,
                input: Input::StandIn,
                address: 0,
            }));
        }
        Fields {
            object,
            known,
            entries: entries.into_iter(),
            value: None,
        }
    }
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Stop> {
        let Some(entry) = self.entries.next() else {
            return Ok(None);
        };
        self.value = Some(entry);
        let name: StrDeserializer<'_, Stop> = entry.name.into_deserializer();
        let key = seed.deserialize(name);
        if let (Err(Stop::Unknown), Some(known)) = (&key, self.known) {
            // All of them at once: each would cost a reading.
            self.object.check_names(known);
        }
        key.map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        let entry = self.value.take().ok_or(Stop::NoStandIn)?;
        let node = Node {
            input: entry.input,
            address: entry.address,
            path: &Path::Name(self.object.path, entry.name),
            findings: self.object.findings,
        };
        // A type may look at its value once more after it was read.
        node.noted(seed.deserialize(node))
    }
}
