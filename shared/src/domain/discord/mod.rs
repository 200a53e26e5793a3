//! Discord's REST API, as far as scanning needs it.
//!
//! For Discord itself and for servers that speak like it: they differ in the order
//! of a page, in error bodies and in units, so nothing here rests on those. Each
//! message of a page is read by itself, so an odd one does not lose the page.

mod channel;
mod client;
mod error;
mod lenient;
mod message;
mod parts;
mod refusal;
mod snowflake;

pub use channel::{Channel, ChannelType, Guild};
pub use client::{Discord, Page, Position};
pub use error::Error;
pub use message::{
    Attachment, Author, Component, Content, Embed, EmbedVideo, Media, Message, Snapshot, Unreadable,
};
pub use parts::Parts;
pub use snowflake::MessageId;
