//! `POST /api/sessions` and `DELETE /api/sessions`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::http::{Action, ApiError, Reply, Request, StatusCode};
use shared::redis::Redis;
use shared::session::LOGIN;

use crate::State;

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
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
    let role = state
        .auth
        .role_of(&credentials.key)
        .await
        .ok_or_else(ApiError::unknown_key)?;
    let sessions = state.sessions.on(&redis);
    let (token, session) = sessions.create(&LOGIN, role.name(), ()).await?;
    let body = Begun {
        role: role.name(),
        expires_at: session.until,
    };
    let seconds = LOGIN.lifetime.as_secs();
    let cookie = state.auth.set_cookie(role, &token, seconds);
    Ok(Reply::json(StatusCode::CREATED, &body).with_header("set-cookie", &cookie))
}

/// Ends the caller's session; with `?all=true` all that were begun with the same key.
/// Without a session there is nothing to end, and that is no error.
pub async fn end(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let all = request.query_flag("all")?;
    if let Some((role, token)) = state.auth.session(&request) {
        let sessions = state.sessions.on(&redis);
        if all {
            request.reads_first();
            sessions
                .revoke_all_from(&LOGIN, &token, role.name())
                .await?;
        } else {
            sessions.revoke(&LOGIN, &token, role.name()).await?;
        }
    }
    let reply = Reply::empty(StatusCode::NO_CONTENT);
    Ok(reply.with_header("set-cookie", &state.auth.clear_cookie()))
}
