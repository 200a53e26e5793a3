//! Redis over the Upstash REST API, without a connection to keep.
//!
//! The layers, from the caller down:
//!
//! | module | holds |
//! |---|---|
//! | [`commands`] | one short function a command: its words, its reply's type |
//! | [`Pipeline`] | several commands in one request, each reply typed |
//! | [`Script`] | Lua by its SHA, sent whole only when the server does not know it |
//! | [`Exchange`] | one value for another, in the step a script makes |
//! | [`RedisService`] | the trait a provider implements: execute, pipeline, multi-exec |
//! | [`Upstash`] | the provider that speaks the REST API |
//! | [`Transport`] | bytes over HTTP |
//!
//! Replies are binary-safe (the server sends them in base64) and integers exact.
//! Every call has a deadline. What may be sent twice is part of each command
//! ([`Repeat`]), so a lost reply never applies a write twice.

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
