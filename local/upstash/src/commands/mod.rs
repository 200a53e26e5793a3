//! The commands, by family. A command is a function from arguments to a reply.

pub mod arguments;
pub mod expiry;
pub mod hashes;
pub mod keys;
pub mod lists;
pub mod scan;
pub mod server;
pub mod sets;
pub mod sorted_set_algebra;
pub mod sorted_set_ranges;
pub mod sorted_sets;
pub mod stream_groups;
pub mod stream_info;
pub mod stream_pending;
pub mod streams;
pub mod strings;

use crate::meter::Meter;
use crate::random::Random;
use crate::store::Database;

/// A command with its arguments. The name is at index 0.
pub type Args<'a> = &'a [Vec<u8>];

/// What a command works on.
pub struct Context<'a> {
    pub db: &'a mut Database,
    /// Unix milliseconds, read once per command, script or transaction.
    pub now_ms: i64,
    pub random: &'a mut Random,
    pub meter: &'a Meter,
}
