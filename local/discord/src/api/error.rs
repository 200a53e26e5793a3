//! Errors in Discord's format.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: u64,
    message: String,
    errors: Option<Value>,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, code: u64, message: &str) -> Self {
        Self {
            status,
            code,
            message: message.to_owned(),
            errors: None,
        }
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, 0, "401: Unauthorized")
    }

    /// Cloudflare's answer to a client without a proper user agent.
    pub(crate) fn blocked_user_agent() -> Self {
        Self::new(StatusCode::FORBIDDEN, 40333, "internal network error")
    }

    pub(crate) fn missing_access() -> Self {
        Self::new(StatusCode::FORBIDDEN, 50001, "Missing Access")
    }

    pub(crate) fn missing_permissions() -> Self {
        Self::new(StatusCode::FORBIDDEN, 50013, "Missing Permissions")
    }

    pub(crate) fn unknown_channel() -> Self {
        Self::new(StatusCode::NOT_FOUND, 10003, "Unknown Channel")
    }

    pub(crate) fn unknown_guild() -> Self {
        Self::new(StatusCode::NOT_FOUND, 10004, "Unknown Guild")
    }

    pub(crate) fn unknown_member() -> Self {
        Self::new(StatusCode::NOT_FOUND, 10007, "Unknown Member")
    }

    pub(crate) fn unknown_message() -> Self {
        Self::new(StatusCode::NOT_FOUND, 10008, "Unknown Message")
    }

    pub(crate) fn invalid_version() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            50041,
            "Invalid API version provided",
        )
    }

    /// Error 50035, with the field and what is wrong with it.
    pub(crate) fn invalid_form(field: &str, code: &str, message: &str) -> Self {
        let errors = json!({ field: { "_errors": [{ "code": code, "message": message }] } });
        Self {
            errors: Some(errors),
            ..Self::new(StatusCode::BAD_REQUEST, 50035, "Invalid Form Body")
        }
    }

    /// Error 50035 for a value that is not an ID.
    pub(crate) fn not_snowflake(field: &str, value: &str) -> Self {
        let message = format!("Value \"{value}\" is not snowflake.");
        Self::invalid_form(field, "NUMBER_TYPE_COERCE", &message)
    }

    /// The default error body for a status.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::FORBIDDEN => Self::missing_access(),
            StatusCode::BAD_REQUEST => Self::new(status, 50035, "Invalid Form Body"),
            _ => {
                let reason = status.canonical_reason().unwrap_or("Unknown");
                Self::new(status, 0, &format!("{}: {reason}", status.as_u16()))
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body = json!({ "message": self.message, "code": self.code });
        if let Some(errors) = self.errors {
            body["errors"] = errors;
        }
        (self.status, Json(body)).into_response()
    }
}
