//! The domain: channels and how far they were read, clips and where they were found.
//!
//! A channel has a record with two cursors: the newest message read and the oldest;
//! all between them was read. One job at a time owns the record. A page is saved by
//! one script, clips, counts and cursors together, and only by the owner, so a page
//! that is read twice is counted once.

mod breaker;
mod channel;
mod clip;
mod find;
mod keys;
mod listing;
mod note;
mod page;
mod progress;
mod removal;
mod scripts;
mod settings;
mod store;

pub use breaker::{BOARD, Breaker, PauseReason, Trip};
pub use channel::{Channel, Covered, Owner, ScanStatus, Work};
pub use clip::{Clip, ClipSource};
pub use find::{Filter, find_clips};
pub use keys::Keys;
pub use listing::{ClipCursor, ClipQuery};
pub use note::Noted;
pub use page::{CLIPS_AT_ONCE, Pace, PageSave, PageSlot, PageTold, Saved, SavedPage, Stretch};
pub use progress::ScanProgress;
pub use removal::{ClipsOf, Removed};
pub use scripts::ALL as SCRIPTS;
pub use settings::GuildSettings;
pub use store::{ScanStore, Taken};
