//! The front door: everything between API Gateway and a handler.
//!
//! The one module that knows `lambda_http`. A function is an [`App`]: its state and
//! its [`Route`]s. The app finds the route, reads the caller, runs the handler and
//! turns results and errors into replies; a handler decodes, makes one call, replies.
//! Limits and idempotency are in the way of a handler's first request to Redis, and it
//! need not know of them.

mod absent;
mod action;
mod admission;
mod app;
mod auth;
pub(crate) mod cookie;
pub mod cors;
mod door;
mod error;
mod gate;
mod guesses;
mod identity;
mod paths;
mod query;
mod reply;
mod request;
mod standing;

pub use crate::input::{Bounded, Moment, Seconds, Snowflake};
pub use absent::absent;
pub use action::Action;
pub use app::{App, Handler, Route, Services, run};
pub use auth::{Access, Auth, Caller, Role};
pub use door::{Door, Sender};
pub use error::ApiError;
pub use paths::{Parameters, SHARED_PATHS, match_path};
pub use query::digest;
pub use reply::Reply;
pub use request::Request;

pub use lambda_http::http::{Method, StatusCode};
