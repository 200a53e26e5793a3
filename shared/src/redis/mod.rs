//! A Redis client for the Upstash REST API, which needs no lasting connection.
//!
//! The layers, from the caller down:
//!
//! | module | content |
//! |---|---|
//! | [`commands`] | one short function for each command: its words and the type of its reply |
//! | [`Pipeline`] | several commands in one request, each with a typed reply |
//! | [`Script`] | a Lua script, sent by its SHA, and in full only if the server does not know it |
//! | [`Exchange`] | a replacement of one value by another, which a script can make as part of its step |
//! | [`RedisService`] | the trait that a provider implements: execute, pipeline, multi-exec |
//! | [`Upstash`] | the provider for the REST API |
//! | [`Transport`] | bytes over HTTP |
//!
//! Replies are binary-safe (the server sends them in base64), and integers are exact. Every
//! call has a deadline. Each command declares whether it may be sent twice ([`Repeat`]), so
//! a lost reply never causes a write to be applied twice.

mod auto_pipeline;
mod command;
pub mod commands;
mod count_place;
mod error;
mod exchange;
mod hash_field;
mod lua;
mod meter;
mod pipeline;
mod prefix;
mod provider;
mod raw_command;
mod reply;
mod script;
mod service;
mod transport;
mod upstash;

pub use auto_pipeline::AutoPipeline;
pub use command::Command;
pub use count_place::CountPlace;
pub use error::{Error, ServerError};
pub use exchange::Exchange;
pub use hash_field::HashField;
pub use lua::LuaFiles;
pub(crate) use lua::lua_files;
pub use meter::{Meter, Usage};
pub use pipeline::{Pipeline, Replies, Slot};
pub use prefix::Prefix;
pub use provider::connect;
pub use raw_command::{RawCommand, Repeat};
use reply::pairs as reply_pairs;
pub use reply::{Element, FromReply, Reply};
pub use script::Script;
pub use service::{Redis, RedisService, Scope};
pub use transport::Transport;
pub use upstash::Upstash;
