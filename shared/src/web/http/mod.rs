//! The HTTP side of a function: everything between API Gateway and a handler.
//!
//! The one module that knows `lambda_http`. A function is an [`App`]: its state and its
//! [`Route`]s. The app finds the route, reads the caller and the parameters, runs the
//! handler and turns results and errors into replies. A handler gets a [`Context`], decodes,
//! makes one call, replies:
//!
//! ```
//! use shared::http::{ApiError, Context, Reply, Snowflake, Spec};
//!
//! #[derive(serde::Deserialize)]
//! #[serde(rename_all = "camelCase")]
//! struct Guild {
//!     guild_id: Snowflake,
//! }
//!
//! /// Method, path and parameters, the limit, and what the OpenAPI document says.
//! const SETTINGS: Spec<Guild> = Spec::get(
//!     "/api/guilds/{guildId}/settings",
//!     "getSettings",
//!     "The settings of a guild.",
//! );
//!
//! async fn settings(cx: Context<(), Guild>) -> Result<Reply, ApiError> {
//!     let settings = cx.store().settings(cx.path.guild_id.as_str()).await?;
//!     Ok(Reply::ok(&settings))
//! }
//!
//! let route = SETTINGS.to(settings);
//! ```
//!
//! Limits and idempotency are asked with a handler's first request to Redis, and every
//! service a context hands out is bound to them: a handler cannot get around them.
//!
//! | file | holds |
//! |---|---|
//! | `route`, `begins` | what a route is: [`Spec`], [`Route`] |
//! | `context` | what a handler is given: [`Context`], [`Pending`] |
//! | `app`, `any_app` | from an event to a reply |
//! | `admission`, `guard`, `guesses`, `anonymous_budget`, `limit_headers` | sessions, limits and idempotency, in the way of Redis |
//! | `services` | the clients, made once |
//! | `auth`, `role`, `cookie`, `identity`, `cors` | who calls, and from where |
//! | `request`, `query`, `paths`, `reply`, `entity_tag`, `digest` | what comes in and goes out |
//! | `error`, `code`, `unknown_job` | why a request is refused |

mod action;
mod admission;
mod anonymous_budget;
mod any_app;
mod app;
mod auth;
mod begins;
mod code;
mod context;
pub(crate) mod cookie;
pub mod cors;
mod digest;
mod entity_tag;
mod error;
mod guard;
mod guesses;
mod identity;
mod limit_headers;
mod paths;
mod query;
mod reply;
mod request;
mod role;
mod route;
mod services;
mod unknown_job;

pub use crate::input::{
    Bounded, FieldCode, FieldError, Invalid, Limit, Moment, OneOrMany, PageCursor, Seconds,
    Snowflake,
};
pub use action::Action;
pub use any_app::{AnyApp, Sender};
pub use app::{App, run};
pub use auth::{Auth, Caller};
pub use begins::Begins;
pub use code::ErrorCode;
pub use context::{Context, Pending};
pub use digest::digest;
pub use entity_tag::{EntityTags, entity_tag};
pub use error::ApiError;
pub use paths::{Parameters, SHARED_PATHS, match_path};
pub use reply::Reply;
pub use request::Request;
pub use role::{Access, Role};
pub use route::{Route, Spec};
pub(crate) use services::{Parts, Services};
pub use unknown_job::unknown_job;

pub use lambda_http::http::{Method, StatusCode};
