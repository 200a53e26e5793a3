//! The domain: channels and how far they have been read, clips and where they were found.
//!
//! A channel has a record with two cursors, the newest and the oldest message that was
//! read. Everything in between has been read. One job at a time owns the record. One
//! script saves a page, with clips, counts and cursors together, and only for the owner.
//! So a page that is read twice is counted once.
//!
//! | file | contents | used by |
//! |---|---|---|
//! | `store` | reads channels and clips | scans, statuses |
//! | `ownership` | who may write a record, and the policy of its scan | scans |
//! | `page` | saves a page | scans |
//! | `channel`, `clip` | the records and their rules | all |
//! | `breaker` | the circuit breaker for Discord, for all workers | scans, the admin routes |
//! | `plan` | the plan of a guild scan, and how far archived threads are known | guild scans |
//! | `threads` | which threads are included in a scan | settings, scans |
//! | `status` | how a channel's scans stand, from its record and its jobs | the routes of guilds and statuses |
//! | `settings` | the settings of a guild | the guild routes, scans |
//! | `filter`, `listing` | which clips are found, and how | `clips`, exports |
//! | `records`, `removal` | loads and removes clips | `clips`, scans |
//! | `probes` | what was found inside the files of clips | the drainer |

mod breaker;
mod channel;
mod clip;
mod filter;
mod keys;
mod listing;
mod ownership;
mod page;
mod plan;
mod probes;
mod records;
mod removal;
mod scripts;
mod settings;
mod status;
mod store;
mod threads;

pub use breaker::{BOARD, Breaker, PauseReason, Trip};
pub use channel::{Channel, Covered, Owner, ScanProgress, ScanStatus, Work};
pub use clip::{
    CLIPS_AT_ONCE, Clip, ClipRecord, ClipSource, Filter, Origin, Place, Probe, ProbeState, Term,
    complete_clips, find_clips, words,
};
pub use filter::{ClipFilter, ClipOrder};
pub use keys::Keys;
pub use listing::{ClipCursor, ClipQuery};
pub use ownership::{Ownership, ScanPolicy};
pub use page::{Pace, PageSave, PageSlot, ROWS_AT_ONCE, Stretch};
pub use plan::{Phase, Plan, PlanHead, Planned, ThreadsSeen, Unlisted};
pub use probes::{PROBES_AT_ONCE, ProbeResult, SavedProbes};
pub use removal::{ClipsOf, Removed};
pub use scripts::{ALL as SCRIPTS, OwnershipRequest, Saved, SavedPage};
pub use settings::GuildSettings;
pub use status::ChannelStatus;
pub use store::{Noted, ScanStore};
pub use threads::IncludeThreads;
