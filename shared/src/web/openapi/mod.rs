//! The OpenAPI 3.1 document: what the routes take and answer, generated from the types the
//! code itself reads and writes.
//!
//! A function lists its operations beside its routes. Nothing here is linked into what is
//! deployed.
//!
//! | file | what is in it |
//! |---|---|
//! | `operation` | an [`Operation`]: a [`Spec`](crate::http::Spec) with what it takes and answers |
//! | `tag` | the groups of operations |
//! | `document` | the document, operation by operation |
//! | `parameters` | the fields of a type as parameters |
//! | `plain` | schemas in a plain form |
//! | `components` | what operations share: headers, problem replies, security schemes |
//! | `example` | recorded exchanges, shown as examples |
//! | `schemas` | schemas of types that read and write themselves |

mod components;
mod document;
mod example;
mod operation;
mod parameters;
mod plain;
mod schemas;
mod tag;

pub use document::document;
pub use example::Exchange;
pub use operation::{Operation, tagged};
pub use schemas::SNOWFLAKE;
pub use tag::{ADMINISTRATION, CLIPS, GUILDS, HEALTH, JOBS, SCANS, SESSIONS, Tag, UPLOADS};
