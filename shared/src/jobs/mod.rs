//! What jobs are given: arguments, kinds and limits. How they run is the drainer's.

mod scan;

pub use scan::{ChannelScan, Direction, MessageScan, ScanMode, ScanOptions};
