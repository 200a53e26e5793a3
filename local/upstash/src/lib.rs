//! An Upstash-compatible Redis REST endpoint with an embedded engine or a real Redis
//! behind it.
//!
//! `rest` and `wire` implement the HTTP API of the hosted service. Behind them is either
//! one thread that owns the values and the Lua state (`embedded`, `executor`, `commands`,
//! `lua`) and keeps them in a SQLite file (`store`), or a set of connections to a real
//! server (`passthrough`). Beyond the API, the endpoint has a billing meter, faults on
//! demand, and a clock that tests can move.
//!
//! ```no_run
//! # async fn example() -> Result<(), upstash_local::StartError> {
//! let server = upstash_local::Server::start(upstash_local::Options::default()).await?;
//! println!("{} {}", server.url(), server.token());
//! server.stop().await;
//! # Ok(())
//! # }
//! ```

mod body;
mod clock;
mod commands;
mod control;
mod direct;
mod embedded;
mod engine;
mod errors;
mod executor;
mod faults;
mod glob;
mod guard;
mod inspect;
mod limits;
mod listen;
mod listener;
mod lua;
mod meter;
mod number;
mod passthrough;
mod random;
mod registry;
mod reply;
mod rest;
mod secret;
mod server;
mod store;
mod wire;

pub use clock::Clock;
pub use direct::{DirectReply, Embedded, Snapshot};
pub use faults::{Failure, Fault, FaultAction, Faults};
pub use guard::{Guard, Refusal};
pub use inspect::Inspector;
pub use limits::Limits;
pub use listen::Listen;
pub use meter::MeterSnapshot;
pub use passthrough::{RedisUrl, RedisUrlError};
pub use registry::key_places;
pub use secret::random_secret;
pub use server::{Options, Server, StartError, Store};
pub use store::disk::{DiskError, Durability};
