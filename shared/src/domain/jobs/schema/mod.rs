//! What callers are told of jobs: which fields a job has depends on its type.
//!
//! These types are never made. Each is only a JSON schema, put together from those of the
//! types that are read and written and from the table of kinds. Tests hold real jobs, of each
//! type and from one end to the other, to them.
//!
//! | file | what is in it |
//! |---|---|
//! | `kind` | what differs from kind to kind |
//! | `request` | [`JobRequest`](super::JobRequest) by its type |
//! | `job` | [`Job`](crate::queue::Job) by its type |
//! | `event` | the events of a scan by their type |
//! | `union` | one of several schemas, told apart by `type` |

mod event;
mod job;
mod kind;
mod request;
mod union;

pub use event::ScanEvent;
pub use job::TypedJob;
pub use request::TypedJobRequest;
