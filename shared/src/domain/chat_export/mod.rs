//! Reads the JSON files of DiscordChatExporter, a program that saves channels.
//!
//! A file can be larger than memory. It is read in pieces of any length, and each message is
//! handed out as soon as its last byte has come. [`Reader`] does no I/O. Its place in the file
//! is a [`Checkpoint`], from which another reader continues.
//!
//! | file | contents |
//! |---|---|
//! | `reader` | finds the messages in a file |
//! | `message` | a message of a file in Discord's own form |

mod message;
mod reader;

pub use reader::{Checkpoint, Found, Reader, WrongFile};

#[cfg(test)]
mod tests;
