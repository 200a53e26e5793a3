//! Looks inside a video file on a server: the requests that a [`Walk`](crate::media::Walk)
//! asks for.
//!
//! A file costs at most 8 requests, 1 MiB and the given time, whatever the file or its
//! server does. Only listed hosts are asked, over TLS, and no redirect is followed; see
//! [`outbound`](crate::outbound).

mod error;
mod prober;

pub use error::ProbeError;
pub use prober::Prober;
