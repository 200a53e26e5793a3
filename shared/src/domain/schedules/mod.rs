//! Schedules: scans that a guild or a channel asks for again and again.
//!
//! A schedule has a rule and a next slot. The rules are one hash, and the next slots one
//! sorted set, so that a look for due schedules is one command. Without any schedule, a look
//! needs no command of its own: the set does not exist, which the drainer sees in the command
//! that looks for jobs.
//!
//! A slot gets one job, however many drainers look: the job's id is derived from the slot.
//! The next slot is written after the job is stored. If a drainer dies in between, another one
//! finds the same slot, and stores the same job. A drainer that was down for several slots
//! makes up for one of them.
//!
//! | file | contents |
//! |---|---|
//! | `rule` | a schedule, and when its next slot is |
//! | `store` | reads and writes schedules |
//! | `due` | which slots are due, and their jobs |

mod due;
mod keys;
mod rule;
mod scripts;
mod store;

pub use due::{Due, has_news, is_hopeless};
pub use keys::Keys;
pub use rule::{ScheduleName, ScheduledScan, Timing, TimingError};
pub use scripts::ALL as SCRIPTS;
pub use store::{Schedules, Stored};
