//! Scripts whose caller's reply is stored in the step that makes it true.
//!
//! A reply that is stored after the work, by a request of its own, is lost when the caller
//! dies in between, and the work is then done again. Here the work is done only while the
//! caller's mark stands, and if it comes out as foreseen the reply takes the mark's place:
//! two billed commands more, and no round trip.

use serde::Serialize;

use crate::redis::Exchange;

/// What `once.lua` is given of an exchange.
#[derive(Serialize)]
pub(super) struct Once<'a> {
    old: &'a str,
    new: &'a str,
    keep_ms: u128,
    /// For each answer, those with which the new value is true.
    words: Vec<Vec<String>>,
}

impl<'a> Once<'a> {
    pub fn new(exchange: &'a Exchange, words: Vec<Vec<String>>) -> Once<'a> {
        Once {
            old: &exchange.old,
            new: &exchange.new,
            keep_ms: exchange.keep.as_millis(),
            words,
        }
    }
}
