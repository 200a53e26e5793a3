//! Requests to addresses that somebody else chose: a file named in a message, a webhook.
//!
//! An [`Outbound`] client sends a request only if its [`Hosts`] allow the address. They are
//! asked twice: for the host before the request, and for the addresses that the host's name
//! resolves to, when the connection is made. A name that resolves to a private address is
//! refused, whatever it resolved to a moment ago.
//!
//! The client follows no redirect, uses no proxy, and takes no more time and reads no more
//! bytes than the caller allows. It does not repeat a request; that is for the caller.

mod address;
mod client;
mod error;
mod hosts;
mod resolver;

pub use address::is_public;
pub use client::{Answer, Outbound, Outgoing, Within};
pub use error::{OutboundError, Refusal};
pub use hosts::Hosts;
