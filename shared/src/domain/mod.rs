//! Clips in Discord channels: Discord's API, what a scan stores, what a job is asked to do.

pub mod discord;
pub mod jobs;
pub mod scan;
