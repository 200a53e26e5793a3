//! A server that keeps what it gets.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Got {
    pub signature: String,
    pub delivery: String,
    pub body: String,
}

impl Got {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Default)]
struct Shared {
    got: Vec<Got>,
    /// The answers to come. After these, everything is accepted.
    answers: Vec<(u16, String)>,
}

pub struct Receiver {
    url: String,
    shared: Arc<Mutex<Shared>>,
}

impl Receiver {
    pub async fn start() -> Receiver {
        let shared = Arc::new(Mutex::new(Shared::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "http://{}/hook?token=t0ps3cret",
            listener.local_addr().unwrap()
        );
        let router = Router::new().fallback(take).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Receiver { url, shared }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Answers the next requests with these statuses and bodies.
    pub fn will_answer(&self, answers: &[(u16, &str)]) {
        let answers = answers.iter().rev();
        self.shared.lock().unwrap().answers = answers
            .map(|(status, body)| (*status, (*body).to_owned()))
            .collect();
    }

    pub fn got(&self) -> Vec<Got> {
        self.shared.lock().unwrap().got.clone()
    }
}

async fn take(
    State(shared): State<Arc<Mutex<Shared>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| {
        let value = headers.get(name).map(|value| value.to_str().unwrap());
        value.unwrap_or_default().to_owned()
    };
    let mut shared = shared.lock().unwrap();
    shared.got.push(Got {
        signature: header("x-trawl-signature"),
        delivery: header("x-trawl-delivery"),
        body: String::from_utf8(body.to_vec()).unwrap(),
    });
    let (status, text) = shared.answers.pop().unwrap_or((204, String::new()));
    let location = [("location", "http://127.0.0.1:9/elsewhere")];
    (StatusCode::from_u16(status).unwrap(), location, text).into_response()
}
