//! Scripts that do the work and store the caller's reply in one step.
//!
//! If the reply were stored by a request of its own, after the work, it would be lost when
//! the caller dies in between, and a repeated request would do the work again. Here the
//! script works only while the caller's idempotency mark is in place. If the work has the
//! expected result, the reply replaces the mark. This costs two more billed commands and no
//! round trip.

use serde::Serialize;

use crate::redis::Exchange;

/// The part of an exchange that `once.lua` is given.
#[derive(Serialize)]
pub(super) struct Once<'a> {
    old: &'a str,
    new: &'a str,
    keep_ms: u128,
    /// For each answer, the words for which the new value is correct.
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
