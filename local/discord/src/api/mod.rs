//! Handles every request: records it, applies faults, and then runs the checks in
//! Discord's order: user agent, token, route, rate limit bucket.

mod error;
mod listing;
mod objects;
mod query;
mod replacement;
mod route;
mod threads;

use std::sync::Arc;

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, Request, State as Shared},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::any,
};
use serde_json::Value;
use subtle::ConstantTimeEq as _;

use crate::{
    cdn,
    connection::Cutter,
    control,
    faults::{Action, Plan, Scope, Target},
    state::State,
};
use error::ApiError;
use query::Fields;
use route::Route;

/// No request to this API needs a larger body.
const MAX_BODY_BYTES: usize = 1 << 20;

pub(crate) fn router(state: Arc<State>) -> Router {
    Router::new()
        .nest("/control", control::router())
        .route("/api/{*path}", any(front))
        .route("/attachments/{*path}", any(front))
        .layer(middleware::from_fn_with_state(Arc::clone(&state), guarded))
        .with_state(state)
}

/// Refuses requests that a page of another site may have sent, before doing or recording
/// anything.
async fn guarded(Shared(state): Shared<Arc<State>>, request: Request, next: Next) -> Response {
    let refusal = state
        .guard
        .refusal(request.method(), request.uri(), request.headers());
    match refusal {
        None => next.run(request).await,
        Some(message) => {
            let body = serde_json::json!({ "message": message, "code": 0 });
            (StatusCode::FORBIDDEN, Json(body)).into_response()
        }
    }
}

/// Records the request, applies its faults and answers it.
async fn front(
    Shared(state): Shared<Arc<State>>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let query = parts.uri.query().unwrap_or_default();
    let number = state.requests.arrived(parts.method.as_str(), path, query);

    let route = path
        .strip_prefix("/api")
        .map(|path| Route::of(&parts.method, path));
    let target = match &route {
        Some(Ok(route)) => route.target(),
        Some(Err(_)) => Target::Other,
        None => Target::Cdn,
    };
    let plan = state.faults.plan(target, &format!("{path}?{query}"));
    if !plan.delay.is_zero() {
        tokio::time::sleep(plan.delay).await;
    }

    // The body is read only after these checks, so a stranger's body is never read.
    let body = match check(&state, &parts.headers) {
        Ok(()) => axum::body::to_bytes(body, MAX_BODY_BYTES)
            .await
            .unwrap_or_default(),
        Err(_) => Bytes::new(),
    };
    let response = match (&plan.replacement, route) {
        (Some(Action::DropConnection), _) => {
            cutter.cut();
            return StatusCode::NO_CONTENT.into_response();
        }
        (Some(action), route) => {
            let mut response = replacement::answer(action);
            let is_json = response.headers().get(header::CONTENT_TYPE)
                == Some(&header::HeaderValue::from_static("application/json"));
            if let Some(Ok(route)) = route.filter(|_| is_json && *action != Action::BlockedJson) {
                let decision = state.buckets.take(route.bucket(), state.now_ms());
                decision.write(response.headers_mut());
            }
            response
        }
        (None, Some(route)) => {
            let checked = check(&state, &parts.headers).and(route);
            match checked {
                Ok(route) => limited(&state, route, &parts.uri, &body, &plan),
                Err(error) => error.into_response(),
            }
        }
        (None, None) if parts.method == Method::GET || parts.method == Method::HEAD => {
            cdn::answer(&state, path, query, &parts.headers, &plan.cdn)
        }
        (None, None) => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    };
    let response = if plan.truncates {
        truncated(response).await
    } else {
        response
    };
    state.requests.answered(number, response.status().as_u16());
    response
}

fn check(state: &State, headers: &HeaderMap) -> Result<(), ApiError> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let user_agent = text(header::USER_AGENT).unwrap_or_default();
    if !user_agent.starts_with("DiscordBot (") {
        return Err(ApiError::blocked_user_agent());
    }
    let token = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bot "));
    let right = state.token();
    let is_right = |token: &str| token.as_bytes().ct_eq(right.as_bytes()).into();
    match token.is_some_and(is_right) {
        true => Ok(()),
        false => Err(ApiError::unauthorized()),
    }
}

/// Answers within the route's bucket. Every answer carries the bucket's headers.
fn limited(state: &State, route: Route, uri: &Uri, body: &Bytes, plan: &Plan) -> Response {
    let decision = state.buckets.take(route.bucket(), state.now_ms());
    let mut response = if decision.allowed {
        match answer(state, route, &Fields::of(uri), body, plan) {
            Ok(value) => Json(value).into_response(),
            Err(error) => error.into_response(),
        }
    } else {
        let retry_after_secs = decision.reset_after_ms as f64 / 1_000.0;
        replacement::rate_limited(Scope::User, retry_after_secs)
    };
    decision.write(response.headers_mut());
    response
}

fn answer(
    state: &State,
    route: Route,
    fields: &Fields,
    body: &Bytes,
    plan: &Plan,
) -> Result<Value, ApiError> {
    match route {
        Route::Messages { channel_id } => listing::page(state, channel_id, fields, plan),
        Route::Message {
            channel_id,
            message_id,
        } => listing::message(state, channel_id, message_id, plan),
        Route::Channel { channel_id } => objects::channel(state, channel_id),
        Route::Archived { channel_id, list } => threads::archived(state, channel_id, list, fields),
        Route::Guild { guild_id } => objects::guild(state, guild_id),
        Route::GuildChannels { guild_id } => objects::guild_channels(state, guild_id),
        Route::ActiveThreads { guild_id } => threads::active(state, guild_id),
        Route::Member { guild_id, user_id } => objects::member(state, guild_id, user_id),
        Route::MyGuilds => objects::my_guilds(state, fields),
        Route::Me => Ok(objects::me()),
        Route::Application => Ok(objects::application(state, plan.hides_content)),
        Route::RefreshUrls => objects::refresh_urls(state, body),
    }
}

/// The same answer cut to half of its body, with a matching length.
async fn truncated(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    let whole = axum::body::to_bytes(body, usize::MAX)
        .await
        .unwrap_or_default();
    let half = whole.slice(..whole.len() / 2);
    Response::from_parts(parts, Body::from(half))
}
