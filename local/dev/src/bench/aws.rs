//! Stand-ins for the two AWS services the functions call: SSM for secrets, and Lambda to
//! wake a drainer.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::emulator::serve;

/// Both services at one address. They stop when this value is dropped.
pub struct Aws {
    pub url: String,
    server: JoinHandle<()>,
}

#[derive(Deserialize)]
struct GetParameters {
    #[serde(rename = "Names")]
    names: Vec<String>,
}

type Parameters = Arc<BTreeMap<String, String>>;

impl Aws {
    /// Starts both services. SSM serves `secrets`; waking a drainer has no effect.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn start(secrets: BTreeMap<String, String>) -> anyhow::Result<Aws> {
        let app = Router::new()
            .route("/", post(get_parameters))
            .route(
                "/2015-03-31/functions/{name}/invocations",
                post(async || StatusCode::ACCEPTED),
            )
            .with_state(Arc::new(secrets));
        let (address, server) = serve(app).await?;
        Ok(Aws {
            url: format!("http://{address}"),
            server,
        })
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn get_parameters(
    State(parameters): State<Parameters>,
    body: axum::body::Bytes,
) -> Result<Json<Value>, StatusCode> {
    // It is sent as `application/x-amz-json-1.1`, which `Json` does not take.
    let asked: GetParameters =
        serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let (known, unknown): (Vec<_>, Vec<_>) = asked
        .names
        .into_iter()
        .partition(|name| parameters.contains_key(name));
    let known: Vec<Value> = known
        .iter()
        .map(|name| {
            let value = &parameters[name];
            json!({ "Name": name, "Type": "SecureString", "Value": value, "Version": 1 })
        })
        .collect();
    Ok(Json(
        json!({ "Parameters": known, "InvalidParameters": unknown }),
    ))
}
