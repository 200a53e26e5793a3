//! The whole system on one machine: the functions behind their routes, the schedule,
//! the call that wakes a drainer, and what stands in for the cloud.

pub mod bench;
pub mod doctor;
mod follow;
mod functions;
mod gateway;
mod host;
pub mod load_test;
mod measure;
mod settings;
mod up;

pub use follow::{ScanCommand, scan};
pub use functions::{Function, Functions, FunctionsConfig, operations};
pub use gateway::{Gateway, Incoming, Outgoing};
pub use host::Host;
pub use settings::Settings;
pub use up::{System, UpCommand, up};
