//! The keyspace: typed values with expiry in memory, and the file that stores them.

pub mod codec;
pub mod database;
pub mod disk;
pub mod keyspace;
pub mod sorted_set;
pub mod stream;
pub mod value;

pub use database::Database;
pub use sorted_set::SortedSet;
pub use stream::{Stream, StreamId};
pub use value::{Hash, List, Set, Value};
