//! The REST encoding: decodes requests into commands and encodes replies.

pub mod encode;
pub mod json;
pub mod request;
