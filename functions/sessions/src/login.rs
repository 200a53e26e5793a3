//! `POST /api/sessions` and `DELETE /api/sessions`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::http::{Access, Action, ApiError, Pending, Reply, Spec, StatusCode};
use shared::openapi::Operation;
use shared::session::LOGIN;

pub const SIGN_IN: Spec = Spec::post("/api/sessions", "signIn", "Sign in")
    .access(Access::Open)
    .counts_as(Action::Login);

pub const SIGN_OUT: Spec<(), Which> =
    Spec::delete("/api/sessions", "signOut", "Sign out").access(Access::Open);

/// What to sign in with.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    /// The `api` key or the `admin` key.
    key: String,
}

/// A session that has begun.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Session")]
struct SignedIn {
    /// What the session may do: `api`, or `admin` for the operations under `/api/admin` too.
    role: &'static str,
    /// When the session ends at the latest, in unix milliseconds. It ends earlier if it is
    /// not used for two hours.
    expires_at: i64,
}

#[derive(Deserialize, JsonSchema)]
pub struct Which {
    /// Whether to end all sessions that were begun with the same key.
    #[serde(default)]
    all: bool,
}

pub fn operations() -> Vec<Operation> {
    vec![
        SIGN_IN
            .operation().describe("Starts a session and sets its cookie, which stands for the key in later requests. The cookie is `HttpOnly`, `Secure` and `SameSite=Strict`, so a page cannot read it. Wrong keys count against a limit of five in fifteen minutes for each address.")
            .body::<Credentials>()
            .reply::<SignedIn>(201, "The session has begun.")
            .header("Set-Cookie")
            // 403: the request comes from a page of another site.
            .problems(&[401, 403]),
        SIGN_OUT
            .operation().describe("Ends the session of the cookie and clears it. Signing out without a session is no error.")
            .empty(204, "There is no session any more.")
            .header("Set-Cookie")
            .problems(&[403]),
    ]
}

pub async fn sign_in(pending: Pending<()>) -> Result<Reply, ApiError> {
    let credentials: Credentials = pending.json()?;
    // The limit is checked before the key, so that a wrong guess counts.
    let cx = pending.admit().await;
    let role = cx.auth().role_of(&credentials.key).await;
    let role = role.ok_or_else(ApiError::unknown_key)?;
    let (token, session) = cx.sessions().create(&LOGIN, role.name(), ()).await?;
    let body = SignedIn {
        role: role.name(),
        expires_at: session.until,
    };
    let seconds = LOGIN.lifetime.as_secs();
    let cookie = cx.auth().set_cookie(role, &token, seconds);
    Ok(Reply::json(StatusCode::CREATED, &body).with_header("set-cookie", &cookie))
}

/// Ends the caller's session, or with `?all=true` all sessions started with the same key.
/// It is not an error if there is no session.
pub async fn sign_out(pending: Pending<(), (), Which>) -> Result<Reply, ApiError> {
    let all = pending.query().all;
    let cx = match all {
        // To end all sessions, read first which there are.
        true => pending.begin_reading(),
        false => pending.begin(),
    };
    if let Some((role, token)) = cx.auth().session(&cx) {
        let (sessions, user) = (cx.sessions(), role.name());
        match all {
            true => sessions.revoke_all_from(&LOGIN, &token, user).await?,
            false => sessions.revoke(&LOGIN, &token, user).await?,
        };
    }
    let reply = Reply::empty(StatusCode::NO_CONTENT);
    Ok(reply.with_header("set-cookie", &cx.auth().clear_cookie()))
}
