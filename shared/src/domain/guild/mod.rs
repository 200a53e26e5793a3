//! A guild as the bot sees it: its channels and threads, and which of them it may read.
//!
//! | file | contents |
//! |---|---|
//! | `view` | a guild's channels and active threads, as Discord lists them |
//! | `reading` | why the bot may not read a channel |

mod reading;
mod view;

pub use reading::{Unreadable, reading};
pub use view::{ChannelKind, GuildView, SeenChannel, seen_thread};
