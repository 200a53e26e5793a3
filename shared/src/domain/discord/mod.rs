//! The part of Discord's REST API that scanning needs.
//!
//! It works with Discord and with compatible servers. Those differ in the order of a
//! page, in error bodies and in units, so nothing here depends on them. Each message of a
//! page is parsed separately, so a malformed one does not lose the page.

mod channel;
mod client;
mod error;
mod guilds;
mod lenient;
mod media;
mod message;
mod parts;
mod permissions;
mod refusal;
mod snowflake;

pub use channel::{Channel, ChannelType, Guild};
pub use client::{Discord, Page, Position};
pub use error::Error;
pub use guilds::{ArchivedList, Threads};
pub use media::{Attachment, Component, Embed, EmbedVideo, GalleryItem, Media};
pub use message::{Author, Content, Message, Snapshot, SnapshotMessage, Unreadable};
pub use parts::Parts;
pub use permissions::{Member, Overwrite, Permissions, Role, Standing};
pub use snowflake::MessageId;
