//! The domain: channels and how far they were read, clips and where they were found.
//!
//! A channel has a record with two cursors: the newest message read and the oldest;
//! all between them was read. One job at a time owns the record. A page is saved by
//! one script, clips, counts and cursors together, and only by the owner, so a page
//! that is read twice is counted once.
//!
//! | file | what is in it | used by |
//! |---|---|---|
//! | `store` | reading channels and clips | scans, statuses |
//! | `ownership` | who may write a record, and by what its scan goes | scans |
//! | `page` | saving a page | scans |
//! | `channel`, `clip` | the records, and what may be said of them | all |
//! | `breaker` | leaving Discord alone, for all workers | scans, the admin's routes |
//! | `settings` | the settings of a guild | the guild's routes, scans |
//! | `listing`, `removal` | the clips' routes | `clips` |

mod breaker;
mod channel;
mod clip;
mod keys;
mod listing;
mod ownership;
mod page;
mod removal;
mod scripts;
mod settings;
mod store;

pub use breaker::{BOARD, Breaker, PauseReason, Trip};
pub use channel::{Channel, Covered, Owner, ScanProgress, ScanStatus, Work};
pub use clip::{CLIPS_AT_ONCE, Clip, ClipSource, Filter, find_clips};
pub use keys::Keys;
pub use listing::{ClipCursor, ClipQuery};
pub use ownership::{Ownership, ScanPolicy};
pub use page::{Pace, PageSave, PageSlot, Stretch};
pub use removal::{ClipsOf, Removed};
pub use scripts::{ALL as SCRIPTS, OwnershipRequest, Saved, SavedPage};
pub use settings::GuildSettings;
pub use store::{Noted, ScanStore};
