//! Answers that a fault or the rate limit sends instead of the real one.

use axum::{
    Json,
    http::{HeaderName, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use serde_json::json;

use super::error::ApiError;
use crate::faults::{Action, Scope};

const HTML: &str = "<!DOCTYPE html>\n<html><head><title>Error</title></head>\
    <body><center><h1>Error</h1></center><hr><center>cloudflare</center></body></html>\n";
const BANNED: &str = "<!DOCTYPE html>\n<html><head><title>Access denied | discord.com used \
    Cloudflare to restrict access</title></head><body><h1>Error 1015</h1>\
    <h2>You are being rate limited</h2></body></html>\n";
/// The value once observed during a ban: most of a day.
const BAN_SECS: &str = "82721";

/// The answer for an action that replaces the real one. For `DropConnection` the client
/// never sees this answer.
pub(crate) fn answer(action: &Action) -> Response {
    match action {
        Action::RateLimited {
            scope,
            retry_after_secs,
        } => rate_limited(*scope, *retry_after_secs),
        Action::CloudflareBan => (
            StatusCode::TOO_MANY_REQUESTS,
            [(header::RETRY_AFTER, BAN_SECS)],
            Html(BANNED),
        )
            .into_response(),
        Action::BlockedJson => (
            StatusCode::TOO_MANY_REQUESTS,
            Json(json!({
                "message": "You are being blocked from accessing our API temporarily due to \
                    exceeding our rate limits frequently. Please read our docs at \
                    https://discord.com/developers/docs/topics/rate-limits to prevent this \
                    moving forward.",
                "code": 0,
            })),
        )
            .into_response(),
        Action::HtmlBody(status) => (status_code(*status), Html(HTML)).into_response(),
        Action::Redirect(to) => {
            (StatusCode::FOUND, [(header::LOCATION, to.as_str())]).into_response()
        }
        Action::Unauthorized => ApiError::unauthorized().into_response(),
        Action::Refused { status, code } => {
            let message = "This request is refused by a fault.";
            ApiError::new(status_code(*status), *code, message).into_response()
        }
        Action::Status(status) => ApiError::of_status(status_code(*status)).into_response(),
        _ => ApiError::of_status(StatusCode::INTERNAL_SERVER_ERROR).into_response(),
    }
}

/// A 429 answer with all of Discord's headers and fields.
pub(crate) fn rate_limited(scope: Scope, retry_after_secs: f64) -> Response {
    let message = match scope {
        Scope::Shared => "The resource is being rate limited.",
        Scope::User | Scope::Global => "You are being rate limited.",
    };
    let is_global = scope == Scope::Global;
    let body = json!({
        "message": message,
        "retry_after": retry_after_secs,
        "global": is_global,
    });
    let whole_secs = retry_after_secs.ceil().max(1.0) as u64;
    let mut response = (
        StatusCode::TOO_MANY_REQUESTS,
        [
            (header::RETRY_AFTER, whole_secs.to_string()),
            (
                HeaderName::from_static("x-ratelimit-scope"),
                scope.as_str().to_owned(),
            ),
        ],
        Json(body),
    )
        .into_response();
    let headers = response.headers_mut();
    if is_global {
        headers.insert(
            "x-ratelimit-global",
            header::HeaderValue::from_static("true"),
        );
    }
    if scope == Scope::User {
        let reset_after = header::HeaderValue::from_str(&format!("{retry_after_secs:.3}"));
        if let Ok(reset_after) = reset_after {
            headers.insert("x-ratelimit-reset-after", reset_after);
        }
        headers.insert(
            "x-ratelimit-remaining",
            header::HeaderValue::from_static("0"),
        );
    }
    response
}

fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
