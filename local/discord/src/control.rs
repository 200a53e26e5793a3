//! The `/control` API: manages faults and lists requests, for people and other processes.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State as Shared,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;

use crate::{faults::Fault, requests::RequestSeen, state::State};

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new()
        .route(
            "/faults",
            post(add_fault).get(list_faults).delete(clear_faults),
        )
        .route("/requests", get(list_requests).delete(clear_requests))
}

async fn add_fault(Shared(state): Shared<Arc<State>>, body: String) -> Response {
    match serde_json::from_str::<Fault>(&body) {
        Ok(fault) => {
            state.faults.add(fault);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => {
            let body = json!({ "message": error.to_string() });
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
    }
}

async fn list_faults(Shared(state): Shared<Arc<State>>) -> Json<Vec<Fault>> {
    Json(state.faults.pending())
}

async fn clear_faults(Shared(state): Shared<Arc<State>>) -> StatusCode {
    state.faults.clear();
    StatusCode::NO_CONTENT
}

async fn list_requests(Shared(state): Shared<Arc<State>>) -> Json<Vec<RequestSeen>> {
    Json(state.requests.all())
}

async fn clear_requests(Shared(state): Shared<Arc<State>>) -> StatusCode {
    state.requests.clear();
    StatusCode::NO_CONTENT
}
