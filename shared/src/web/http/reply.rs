//! The reply of a handler.

use lambda_http::Body;
use lambda_http::http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;

use super::entity_tag::{EntityTags, entity_tag};
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

    /// 200 with text that is not JSON.
    pub fn text(media_type: &str, text: String) -> Reply {
        let response = Response::new(Body::Text(text));
        Reply { response }
            .with_type(media_type)
            .with_header("cache-control", "no-store")
    }

    /// 302: what is asked for is at this address for now.
    pub fn found(address: &str) -> Reply {
        Self::empty(StatusCode::FOUND)
            .with_header("location", address)
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

    /// The reply to HEAD: that of GET without its body, which `Content-Length` measures.
    pub(super) fn without_body(mut self) -> Reply {
        let body = std::mem::replace(self.response.body_mut(), Body::Empty);
        match body.len() {
            0 => self,
            length => self.with_header("content-length", &length.to_string()),
        }
    }

    /// This reply to a read with an `ETag`, or 304 if the reader has it already. Reading it
    /// cost the same.
    pub(super) fn unless_known(self, known: Option<&EntityTags>) -> Reply {
        if self.status() != StatusCode::OK {
            return self;
        }
        let own = self.response.headers().get("etag");
        let own = own.and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let tag = match (own, self.response.body()) {
            (Some(tag), _) => tag,
            (None, Body::Text(text)) => entity_tag(text),
            (None, _) => return self,
        };
        let mut reply = self.with_header("etag", &tag);
        if known.is_some_and(|known| known.have_weakly(&tag)) {
            *reply.response.status_mut() = StatusCode::NOT_MODIFIED;
            *reply.response.body_mut() = Body::Empty;
            reply.response.headers_mut().remove("content-type");
        }
        reply
    }

    pub(super) fn into_response(self) -> Response<Body> {
        self.response
    }
}
