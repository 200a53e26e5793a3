//! Errors as callers see them: RFC 9457 `application/problem+json`.
//!
//! `code` is stable and meant for programs, `detail` for people; `errors` lists every wrong
//! field, parameter or header. None of them shows anything internal: the cause of a 500 or
//! 503 is logged under the request id.

use std::time::Duration;

use lambda_http::http::StatusCode;
use serde_json::{Value, json};

use super::ErrorCode;
use super::reply::Reply;
use crate::discord;
use crate::input::{FieldCode, FieldError, Invalid, Place, pointer};
use crate::queue;
use crate::redis;
use crate::session;

/// A refused or failed request.
#[derive(Debug, thiserror::Error)]
#[error("{}: {detail}", .code.name())]
pub struct ApiError {
    code: ErrorCode,
    detail: String,
    errors: Vec<FieldError>,
    retry_after_secs: Option<u64>,
    reset_at_ms: Option<i64>,
    allow: Option<Box<str>>,
    #[source]
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl ApiError {
    /// A refusal for this reason; `detail` is a sentence for people.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> ApiError {
        ApiError {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_secs: None,
            reset_at_ms: None,
            allow: None,
            cause: None,
        }
    }

    /// 400: what is wrong is all of one part of the request.
    fn invalid(wrong: Invalid) -> ApiError {
        let first = wrong.errors().first();
        let code = match first.map(|error| (&error.place, error.code)) {
            Some((Place::Parameter(_), _)) => ErrorCode::InvalidParameter,
            Some((Place::Header(_), _)) => ErrorCode::InvalidHeader,
            Some((_, FieldCode::Syntax)) => ErrorCode::InvalidJson,
            _ => ErrorCode::InvalidBody,
        };
        let detail = wrong.to_string();
        ApiError {
            errors: wrong.into_errors(),
            ..Self::new(code, detail)
        }
    }

    /// Adds the place in the request that a refusal is about.
    #[must_use]
    pub fn about(mut self, error: FieldError) -> ApiError {
        self.errors.push(error);
        self
    }

    /// 401: the request has neither a key nor a session.
    pub(super) fn missing_token() -> ApiError {
        let detail = "send a key as `Authorization: Bearer <key>`";
        Self::new(ErrorCode::MissingToken, detail)
    }

    /// 401: the key is unknown.
    pub(super) fn invalid_token() -> ApiError {
        Self::new(ErrorCode::InvalidToken, "the key is unknown")
    }

    /// 401: the session is over, or its cookie is not one of ours.
    pub(super) fn session_expired() -> ApiError {
        let detail = "the session is over; sign in again";
        Self::new(ErrorCode::SessionExpired, detail)
    }

    /// 401: the key to sign in with is unknown.
    pub fn unknown_key() -> ApiError {
        let error = FieldError::field("key", FieldCode::Invalid, "the key is unknown");
        Self::new(ErrorCode::UnknownKey, error.to_string()).about(error)
    }

    /// 403: a known key without this right.
    pub fn insufficient_scope() -> ApiError {
        Self::new(ErrorCode::InsufficientScope, "this needs the admin key")
    }

    /// 403: the request comes from a page of an origin that the settings do not name, with
    /// somebody's cookie.
    pub(super) fn foreign_origin() -> ApiError {
        let detail = "pages of this origin may not act for who is signed in";
        Self::new(ErrorCode::ForeignOrigin, detail)
    }

    /// 405, with the methods there are.
    pub fn method_not_allowed(allow: String) -> ApiError {
        let detail = format!("this path takes {allow}");
        ApiError {
            allow: Some(allow.into()),
            ..Self::new(ErrorCode::MethodNotAllowed, detail)
        }
    }

    /// 413.
    pub fn too_large(limit_bytes: usize) -> ApiError {
        let detail = format!("the body may have up to {limit_bytes} bytes");
        Self::new(ErrorCode::TooLarge, detail)
    }

    /// 415.
    pub fn not_json() -> ApiError {
        let detail = "expected a body of `Content-Type: application/json`";
        Self::new(ErrorCode::NotJson, detail)
    }

    /// 500, for a mistake of ours; the cause goes to the log only.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ApiError {
        ApiError {
            cause: Some(cause.into()),
            ..Self::new(ErrorCode::Internal, "this is our fault")
        }
    }

    /// 503: Redis is unavailable.
    pub fn unavailable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ApiError {
        let detail = "the database cannot answer now; try again in a moment";
        let error = Self::new(ErrorCode::Unavailable, detail).after(2);
        ApiError {
            cause: Some(cause.into()),
            ..error
        }
    }

    /// 503: the queue holds as many unfinished jobs as it may.
    pub fn queue_full() -> ApiError {
        let detail = "too many jobs are unfinished; try again when some are done";
        Self::new(ErrorCode::QueueFull, detail).after(60)
    }

    /// 503: an operator switched this off.
    pub fn switched_off(detail: impl Into<String>) -> ApiError {
        Self::new(ErrorCode::SwitchedOff, detail).after(300)
    }

    /// 503: a job created just now may not have reached the replica that was asked.
    pub fn not_yet_known(detail: impl Into<String>) -> ApiError {
        Self::new(ErrorCode::NotYetKnown, detail).after(1)
    }

    /// 409: the same request is in progress. Its reply will be available in a moment.
    pub(super) fn in_progress() -> ApiError {
        let detail = "a request with this Idempotency-Key is in progress";
        Self::new(ErrorCode::InProgress, detail).after(1)
    }

    /// 422.
    pub(super) fn key_used() -> ApiError {
        let detail = "this Idempotency-Key was used for another request; use a new one";
        Self::new(ErrorCode::KeyUsed, detail)
    }

    /// 429, with the time at which the caller may try again, in unix milliseconds.
    pub(super) fn too_many_requests(retry_after_secs: u64, reset_at_ms: i64) -> ApiError {
        let detail = format!("too many requests; try again in {retry_after_secs} s");
        ApiError {
            reset_at_ms: Some(reset_at_ms),
            ..Self::new(ErrorCode::TooManyRequests, detail).after(retry_after_secs)
        }
    }

    /// 429: too many unknown keys came from the caller's address, so no key from there is
    /// compared before `reset_at_ms`.
    pub(super) fn too_many_unknown_keys(retry_after_secs: u64, reset_at_ms: i64) -> ApiError {
        let detail = format!(
            "too many unknown keys came from this address, so no key is accepted from it; try \
             again in {retry_after_secs} s"
        );
        ApiError {
            reset_at_ms: Some(reset_at_ms),
            ..Self::new(ErrorCode::TooManyUnknownKeys, detail).after(retry_after_secs)
        }
    }

    /// 503: the limit cannot be checked, and the action is not allowed without it.
    pub(super) fn limit_unknown() -> ApiError {
        Self::new(ErrorCode::LimitUnknown, "the rate limit cannot be checked").after(2)
    }

    /// 503: the clock of this machine is wrong, so leases and limits cannot be computed.
    fn clock_wrong(ahead_ms: i64) -> ApiError {
        let (seconds, way) = (
            ahead_ms.unsigned_abs().div_ceil(1000),
            if ahead_ms < 0 { "behind" } else { "ahead of" },
        );
        let detail = format!(
            "the clock of this server is {seconds} s {way} the database's: nothing can be stored \
             until it is right"
        );
        ApiError {
            cause: Some(queue::Error::ClockSkew { ahead_ms }.into()),
            ..Self::new(ErrorCode::ClockWrong, detail).after(1)
        }
    }

    /// 503: Discord does not answer what was asked of it.
    fn discord(wait: Duration, cause: discord::Error) -> ApiError {
        let detail = "Discord cannot be asked now";
        let seconds = wait.as_millis().div_ceil(1000).clamp(1, 3600) as u64;
        ApiError {
            cause: Some(cause.into()),
            ..Self::new(ErrorCode::DiscordUnavailable, detail).after(seconds)
        }
    }

    /// Says when to try again.
    fn after(mut self, seconds: u64) -> ApiError {
        self.retry_after_secs = Some(seconds);
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.code.status()
    }

    /// The reply, carrying `request_id` for the caller to quote.
    pub(super) fn into_reply(self, request_id: &str) -> Reply {
        let status = self.status();
        let title = status.canonical_reason().unwrap_or("Error");
        let mut body = json!({
            "type": self.code.problem_type(),
            "title": title,
            "status": status.as_u16(),
            "detail": self.detail,
            "code": self.code.name(),
            "requestId": request_id,
            "error": title,
        });
        if !self.errors.is_empty() {
            body["errors"] = self.errors.iter().map(shown).collect();
        }
        if let Some(reset_at_ms) = self.reset_at_ms {
            body["resetAt"] = reset_at_ms.into();
        }
        let mut reply = Reply::json(status, &body).with_type("application/problem+json");
        if let Some(seconds) = self.retry_after_secs {
            reply = reply.with_header("retry-after", &seconds.to_string());
        }
        if let Some(allow) = &self.allow {
            reply = reply.with_header("allow", allow);
        }
        match self.challenge() {
            Some(challenge) => reply.with_header("www-authenticate", challenge),
            None => reply,
        }
    }

    /// What `WWW-Authenticate` says (RFC 6750, 3). A request without a key is not told what
    /// is wrong with it.
    fn challenge(&self) -> Option<&'static str> {
        Some(match self.code {
            ErrorCode::InvalidToken => {
                r#"Bearer error="invalid_token", error_description="the key is unknown""#
            }
            ErrorCode::InsufficientScope => {
                r#"Bearer error="insufficient_scope", error_description="this needs the admin key", scope="admin""#
            }
            _ if self.status() == StatusCode::UNAUTHORIZED => "Bearer",
            _ => return None,
        })
    }
}

/// A mistake as callers see it: by a JSON Pointer into the body, or by name.
fn shown(error: &FieldError) -> Value {
    let mut shown = json!({ "code": error.code.name(), "detail": error.detail });
    let (name, place) = match &error.place {
        Place::Body(steps) => ("pointer", pointer(steps)),
        Place::Parameter(name) => ("parameter", name.clone()),
        Place::Header(name) => ("header", (*name).to_owned()),
    };
    shown[name] = place.into();
    if let Some((line, column)) = error.position {
        shown["line"] = line.into();
        shown["column"] = column.into();
    }
    shown
}

impl From<Invalid> for ApiError {
    fn from(wrong: Invalid) -> ApiError {
        ApiError::invalid(wrong)
    }
}

impl From<FieldError> for ApiError {
    fn from(error: FieldError) -> ApiError {
        ApiError::invalid(error.into())
    }
}

impl From<redis::Error> for ApiError {
    fn from(error: redis::Error) -> ApiError {
        if error.is_unavailable() {
            ApiError::unavailable(error)
        } else {
            ApiError::internal(error)
        }
    }
}

impl From<queue::Error> for ApiError {
    fn from(error: queue::Error) -> ApiError {
        match error {
            queue::Error::Invalid(text) => FieldError::of_text(&text).into(),
            queue::Error::TooLarge(detail) => ApiError {
                detail,
                ..ApiError::too_large(0)
            },
            queue::Error::Full => ApiError::queue_full(),
            queue::Error::ClockSkew { ahead_ms } => ApiError::clock_wrong(ahead_ms),
            queue::Error::Redis(error) => error.into(),
            other => ApiError::internal(other),
        }
    }
}

impl From<session::Error> for ApiError {
    fn from(error: session::Error) -> ApiError {
        match error {
            session::Error::Redis(error) => error.into(),
            other => ApiError::internal(other),
        }
    }
}

impl From<discord::Error> for ApiError {
    fn from(error: discord::Error) -> ApiError {
        use discord::Error;
        match error {
            Error::RateLimited { wait, .. } | Error::Banned(wait) => ApiError::discord(wait, error),
            Error::NotFound { .. } | Error::Forbidden { .. } => {
                let detail = "Discord does not show this to the bot";
                ApiError::new(ErrorCode::NotVisible, detail)
            }
            Error::BadRequest { .. } => ApiError::internal(error),
            _ => ApiError::discord(Duration::from_secs(5), error),
        }
    }
}
