//! What a handler answers.

use lambda_http::Body;
use lambda_http::http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;

/// A status, headers and a JSON body.
#[derive(Debug)]
pub struct Reply {
    response: Response<Body>,
}

impl Reply {
    /// 200.
    pub fn ok(body: &impl Serialize) -> Reply {
        Self::json(StatusCode::OK, body)
    }

    /// 202: taken on, not done yet.
    pub fn accepted(body: &impl Serialize) -> Reply {
        Self::json(StatusCode::ACCEPTED, body)
    }

    pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Reply {
        // Our own types hold no map with keys that are not text, the one thing that
        // cannot be written as JSON.
        let text = serde_json::to_string(body).unwrap_or_default();
        let mut response = Response::new(Body::Text(text));
        *response.status_mut() = status;
        Reply { response }
            .with_type("application/json")
            .with_header("cache-control", "no-store")
    }

    pub(super) fn empty(status: StatusCode) -> Reply {
        let mut response = Response::new(Body::Empty);
        *response.status_mut() = status;
        Reply { response }
    }

    pub(super) fn with_type(self, media_type: &str) -> Reply {
        self.with_header("content-type", media_type)
    }

    /// Sets a header; a value that cannot be one is left out.
    pub fn with_header(mut self, name: &'static str, value: &str) -> Reply {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.response
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
        self
    }

    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub(super) fn into_response(self) -> Response<Body> {
        self.response
    }
}
