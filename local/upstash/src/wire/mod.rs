//! The REST encoding: requests into commands, replies into bodies.

pub mod encode;
pub mod json;
pub mod request;
