//! Errors as callers see them: RFC 9457 `application/problem+json`.
//!
//! `code` is stable and meant for programs, `detail` for people. Neither shows anything
//! internal: the cause of a 500 or 503 is logged under the request id.

use std::time::Duration;

use lambda_http::http::StatusCode;
use serde_json::json;

use super::reply::Reply;
use crate::discord;
use crate::queue;
use crate::redis;
use crate::session;

/// A refused or failed request.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    detail: String,
    retry_after_secs: Option<u64>,
    reset_at_ms: Option<i64>,
    allow: Option<String>,
    #[source]
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> ApiError {
        ApiError {
            status,
            code,
            detail: detail.into(),
            retry_after_secs: None,
            reset_at_ms: None,
            allow: None,
            cause: None,
        }
    }

    /// 400; `detail` names the field.
    pub fn bad_request(detail: impl Into<String>) -> ApiError {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// 401: there is no key, or an unknown one.
    pub fn unauthorized() -> ApiError {
        let detail = "send a key as `Authorization: Bearer <key>`";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    /// 401: the key to sign in with is unknown.
    pub fn unknown_key() -> ApiError {
        let detail = "key: expected a known key";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    /// 403: a known key without this right.
    pub fn forbidden() -> ApiError {
        let detail = "this needs the admin key";
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// 403: the request comes from a page of an origin that the settings do not name, with
    /// somebody's cookie.
    pub(super) fn foreign_origin() -> ApiError {
        let detail = "pages of this origin may not act for who is signed in";
        Self::new(StatusCode::FORBIDDEN, "foreign_origin", detail)
    }

    /// 404.
    pub fn not_found(detail: impl Into<String>) -> ApiError {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// 405, with the methods there are.
    pub fn method_not_allowed(allow: String) -> ApiError {
        let detail = format!("this path takes {allow}");
        ApiError {
            allow: Some(allow),
            ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
        }
    }

    /// 409: the thing is not in a state that allows this.
    pub fn conflict(detail: impl Into<String>) -> ApiError {
        Self::new(StatusCode::CONFLICT, "conflict", detail)
    }

    /// 412: what was changed is not what the caller saw.
    pub fn precondition_failed(detail: impl Into<String>) -> ApiError {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            "precondition_failed",
            detail,
        )
    }

    /// 413.
    pub fn too_large(limit_bytes: usize) -> ApiError {
        let detail = format!("the body may have up to {limit_bytes} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    }

    /// 415.
    pub fn not_json() -> ApiError {
        let detail = "expected a body of `Content-Type: application/json`";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", detail)
    }

    /// 500, for a mistake of ours; the cause goes to the log only.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ApiError {
        ApiError {
            cause: Some(cause.into()),
            ..Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "this is our fault",
            )
        }
    }

    /// 503: Redis is unavailable.
    pub fn unavailable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ApiError {
        let detail = "the database cannot answer now; try again in a moment";
        ApiError {
            retry_after_secs: Some(2),
            cause: Some(cause.into()),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
        }
    }

    /// 503: the queue holds as many unfinished jobs as it may.
    pub fn queue_full() -> ApiError {
        let detail = "too many jobs are unfinished; try again when some are done";
        ApiError {
            retry_after_secs: Some(60),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "queue_full", detail)
        }
    }

    /// 503: an operator switched this off.
    pub fn switched_off(detail: impl Into<String>) -> ApiError {
        ApiError {
            retry_after_secs: Some(300),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "switched_off", detail)
        }
    }

    /// 503: a job created just now may not have reached the replica that was asked.
    pub fn not_yet_known(detail: impl Into<String>) -> ApiError {
        ApiError {
            retry_after_secs: Some(1),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "not_yet_known", detail)
        }
    }

    /// 409: the same request is in progress. Its reply will be available in a moment.
    pub(super) fn in_progress() -> ApiError {
        let detail = "a request with this Idempotency-Key is in progress";
        ApiError {
            retry_after_secs: Some(1),
            ..Self::new(StatusCode::CONFLICT, "in_progress", detail)
        }
    }

    /// 422.
    pub(super) fn key_used() -> ApiError {
        let detail = "this Idempotency-Key was used for another request";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "key_used", detail)
    }

    /// 429, with the time at which the caller may try again, in unix milliseconds.
    pub(super) fn too_many_requests(retry_after_secs: u64, reset_at_ms: i64) -> ApiError {
        let detail = format!("too many requests; try again in {retry_after_secs} s");
        ApiError {
            retry_after_secs: Some(retry_after_secs),
            reset_at_ms: Some(reset_at_ms),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail)
        }
    }

    /// 503: the limit cannot be checked, and the action is not allowed without it.
    pub(super) fn limit_unknown() -> ApiError {
        let detail = "the rate limit cannot be checked";
        ApiError {
            retry_after_secs: Some(2),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "limit_unknown", detail)
        }
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
            retry_after_secs: Some(1),
            cause: Some(queue::Error::ClockSkew { ahead_ms }.into()),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "clock_wrong", &detail)
        }
    }

    /// 503: Discord does not answer what was asked of it.
    fn discord(wait: Duration, cause: discord::Error) -> ApiError {
        let detail = "Discord cannot be asked now";
        let seconds = wait.as_millis().div_ceil(1000).clamp(1, 3600) as u64;
        ApiError {
            retry_after_secs: Some(seconds),
            cause: Some(cause.into()),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "discord_unavailable",
                detail,
            )
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The reply, carrying `request_id` for the caller to quote.
    pub(super) fn into_reply(self, request_id: &str) -> Reply {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let mut body = json!({
            "type": format!("urn:trawl:problem:{}", self.code),
            "title": title,
            "status": self.status.as_u16(),
            "detail": self.detail,
            "code": self.code,
            "requestId": request_id,
            "error": title,
        });
        if let Some(reset_at_ms) = self.reset_at_ms {
            body["resetAt"] = reset_at_ms.into();
        }
        let mut reply = Reply::json(self.status, &body).with_type("application/problem+json");
        if let Some(seconds) = self.retry_after_secs {
            reply = reply.with_header("retry-after", &seconds.to_string());
        }
        if let Some(allow) = &self.allow {
            reply = reply.with_header("allow", allow);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            reply = reply.with_header("www-authenticate", "Bearer");
        }
        reply
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
            queue::Error::Invalid(detail) => ApiError::bad_request(detail),
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
                ApiError::not_found("Discord does not show this to the bot")
            }
            Error::BadRequest { .. } => ApiError::internal(error),
            _ => ApiError::discord(Duration::from_secs(5), error),
        }
    }
}
