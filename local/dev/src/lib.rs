//! The whole system on one machine: the functions behind their HTTP routes, the schedule,
//! the call that wakes a drainer, and local replacements for the cloud services.

mod address;
pub mod bench;
mod clip_table;
mod defaults;
pub mod doctor;
mod export;
mod first_scan;
mod follow;
mod functions;
mod gateway;
mod host;
mod import;
mod keys;
mod listener;
pub mod load_test;
mod measure;
mod picture;
mod say;
mod scan_bar;
mod services;
mod settings;
mod signals;
mod up;

pub use export::{ExportCommand, export};
pub use follow::{ScanCommand, scan};
pub use functions::{Function, Functions, FunctionsConfig, operations};
pub use gateway::{Gateway, Incoming, Outgoing};
pub use host::Host;
pub use import::{ImportCommand, import};
pub use keys::Keys;
pub use settings::Settings;
pub use up::{System, UpCommand, up};
pub use upstash_local::Listen;
