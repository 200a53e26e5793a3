//! `POST /api/sessions` and `DELETE /api/sessions`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::http::{
    Action, ApiError, Login, Reply, Request, SESSION_COOKIE, StatusCode, session_token,
};
use shared::redis::Redis;
use shared::session::LOGIN;

use crate::State;

#[derive(Deserialize, schemars::JsonSchema)]
pub(crate) struct Credentials {
    key: String,
}

#[derive(Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Begun {
    role: &'static str,
    /// Unix milliseconds; earlier when it is not used for two hours.
    expires_at: i64,
}

pub async fn create(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let credentials: Credentials = request.json()?;
    // Before the key is looked at: who guesses is counted.
    request.admit(Action::Login).await;
    let (role, login) = state
        .auth
        .login(&credentials.key)
        .ok_or_else(ApiError::unknown_key)?;
    let sessions = state.sessions.on(&redis);
    let (token, session) = sessions.create(&LOGIN, role, login).await?;
    let body = Begun {
        role,
        expires_at: session.until,
    };
    let cookie = cookie(token.as_str(), LOGIN.lifetime.as_secs());
    Ok(Reply::json(StatusCode::CREATED, &body).with_header("set-cookie", &cookie))
}

/// Ends the caller's session; with `?all=true` all that were begun with the same key.
/// Without a session there is nothing to end, and that is no error.
pub async fn end(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    if let Some(token) = session_token(&request) {
        let sessions = state.sessions.on(&redis);
        if let Some(session) = sessions.touch::<Login>(&LOGIN, &token).await? {
            if request.query("all").as_deref() == Some("true") {
                sessions.revoke_all(&session.user).await?;
            } else {
                sessions.revoke(&LOGIN, &token, &session.user).await?;
            }
        }
    }
    let reply = Reply::empty(StatusCode::NO_CONTENT);
    Ok(reply.with_header("set-cookie", &cookie("", 0)))
}

fn cookie(value: &str, seconds: u64) -> String {
    format!(
        "{SESSION_COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; Secure; SameSite=Strict"
    )
}
