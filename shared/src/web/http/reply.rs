//! The reply of a handler.

use lambda_http::Body;
use lambda_http::http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;

use crate::idempotency::StoredReply;
use crate::json::to_json;

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

    /// 202: accepted, not done yet.
    pub fn accepted(body: &impl Serialize) -> Reply {
        Self::json(StatusCode::ACCEPTED, body)
    }

    /// Any status with a body.
    pub fn json(status: StatusCode, body: &impl Serialize) -> Reply {
        let mut response = Response::new(Body::Text(to_json(body)));
        *response.status_mut() = status;
        Reply { response }
            .with_type("application/json")
            .with_header("cache-control", "no-store")
    }

    /// Any status without a body.
    pub fn empty(status: StatusCode) -> Reply {
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

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The reply in the form in which it is stored and repeated. `None` for a reply that sets
    /// a cookie, or whose body is not text.
    pub(super) fn to_stored(&self) -> Option<StoredReply> {
        let body = match self.response.body() {
            Body::Text(text) => text.clone(),
            Body::Empty => String::new(),
            _ => return None,
        };
        let headers = self.response.headers();
        if headers.contains_key("set-cookie") {
            return None;
        }
        let headers = headers.iter().filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        });
        Some(StoredReply {
            status: self.status().as_u16(),
            headers: headers.collect(),
            body,
        })
    }

    /// A stored reply, marked as repeated.
    pub(super) fn from_stored(stored: StoredReply) -> Reply {
        let mut response = Response::new(Body::Text(stored.body));
        *response.status_mut() = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::OK);
        for (name, value) in stored.headers {
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::try_from(value))
            {
                response.headers_mut().insert(name, value);
            }
        }
        Reply { response }.with_header("idempotency-replayed", "true")
    }

    /// The reply to HEAD: that of GET without its body.
    pub(super) fn without_body(mut self) -> Reply {
        *self.response.body_mut() = Body::Empty;
        self
    }

    pub(super) fn into_response(self) -> Response<Body> {
        self.response
    }
}
