//! The guild: channels, messages and uploaded files in memory, a builder for
//! small ones, and what a scanner must find in it.

mod access;
mod attachment;
mod channel;
mod clips;
mod component;
mod contents;
mod ids;
mod message;
pub mod permissions;
mod store;

pub use crate::file::File;
pub use attachment::{AttachmentSpec, IS_CLIP, IS_SPOILER, IS_THUMBNAIL};
pub use channel::{Access, Channel, ChannelSpec, Thread};
pub use clips::{Clip, Place};
pub use component::ComponentSpec;
pub use ids::{BOT_ID, OWNER_ID};
pub use message::{
    Author, HAS_SNAPSHOT, IS_COMPONENTS_V2, IS_CROSSPOST, IS_VOICE_MESSAGE, MessageSpec,
};
pub use permissions::{Overwrite, Role};
pub use store::Guild;
