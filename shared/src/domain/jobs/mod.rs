//! What jobs are given: arguments, kinds and limits. How they run is the drainer's.

mod request;
mod scan;
mod state;

pub use request::{JobRequest, OptionsRequest};
pub use scan::{ChannelScan, Direction, MessageScan, ScanMode, ScanOptions};
pub use state::ScanState;
