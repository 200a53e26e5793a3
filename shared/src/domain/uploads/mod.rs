//! Uploads: files that come in parts, each in a request of its own.
//!
//! A session begins with the size of the file, and lasts 15 minutes. Each part has a number
//! and may be sent again, in any order. Once all parts are there, the session is finished, and
//! a job reads the file. The parts are fields of one hash, so that they expire together.

mod keys;
mod scripts;
mod store;

pub use keys::Keys;
pub use scripts::ALL as SCRIPTS;
pub use store::{Finished, LIFE, PART, Session, StoredPart, Uploads};
