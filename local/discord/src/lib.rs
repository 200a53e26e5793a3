//! A small server with Discord's REST API, a sample guild and faults on demand. It serves
//! tests, and lets people try Trawl without a bot account.
//!
//! It answers the requests of a channel scanner: pages of messages, single messages,
//! channels, threads, the bot's application, refreshed file URLs, and the files
//! themselves by byte range. Pages, errors, permissions and rate-limit headers follow
//! Discord's documentation. It has no gateway, and no client can write anything.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use discord_local::{Action, Fault, Guild, MessageSpec, Options, Server};
//!
//! let mut guild = Guild::empty(1);
//! guild.add_text_channel(2, "clips");
//! guild.fill(2, 250, |index| match index % 10 {
//!     0 => MessageSpec::video("goal.mp4"),
//!     _ => MessageSpec::text("hello"),
//! });
//! let server = Server::start(Options { guild, ..Options::default() }).await?;
//! server.faults().add(Fault::once(Action::Status(503)).on("before="));
//! println!("{}/channels/2/messages", server.url());
//! # Ok(())
//! # }
//! ```

mod api;
mod cdn;
mod connection;
mod control;
pub mod faults;
mod file;
mod guard;
pub mod guild;
mod hash;
mod media;
mod rate_limit;
mod requests;
pub mod sample;
mod server;
mod signing;
pub mod snowflake;
mod state;
pub mod timestamp;

pub use faults::{Action, Fault, Faults, Scope};
pub use guild::{
    Access, AttachmentSpec, Author, Channel, ChannelSpec, Clip, ComponentSpec, File, Guild,
    MessageSpec, Overwrite, Place, Role, Thread,
};
pub use rate_limit::RateLimit;
pub use requests::RequestSeen;
pub use server::{Options, Server};
