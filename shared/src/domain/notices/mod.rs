//! Notices: messages to a web address that a guild has chosen, its *webhook*.
//!
//! The end of a scan adds an item to the guild's list and stores a job of kind `notice`. The
//! job sends all items of the list in one request, at most one a minute. Items are kept until
//! they are sent, so each is sent at least once, and seldom twice.
//!
//! | file | contents |
//! |---|---|
//! | `webhook` | the address, its secret, and what it wants to hear |
//! | `item` | what there is to tell |
//! | `request` | a notice as a request: for Discord, or signed for anybody else |
//! | `store` | reads and writes all of it |

mod item;
mod keys;
mod request;
mod store;
mod webhook;

pub use item::{Item, ItemType};
pub use keys::Keys;
pub use request::{SIGNATURE, request};
pub use store::{Due, Notices};
pub use webhook::{Topic, Webhook, WebhookKind, new_secret};
