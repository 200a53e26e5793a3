//! The side the callers see: routes, and the document that describes them.

pub mod http;
pub mod openapi;
