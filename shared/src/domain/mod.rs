//! The domain, video clips in Discord channels: Discord's API, the data of a scan, the
//! arguments of jobs.

pub mod discord;
pub mod export;
pub mod jobs;
pub mod link;
pub mod media;
pub mod probe;
pub mod scan;
