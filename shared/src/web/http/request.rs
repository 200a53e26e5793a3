//! A request as handlers see it.

use lambda_http::http::Method;
use lambda_http::request::RequestContext;
use lambda_http::{Body, RequestExt as _};
use serde::de::DeserializeOwned;

use super::{ApiError, EntityTags, FieldCode, FieldError, OneOrMany};
use crate::input;
use crate::trace::Trace;

/// The headers a request is read by. One that was sent must be readable: an unreadable key
/// must not be taken for a missing one.
const READ: [&str; 11] = [
    "authorization",
    "content-type",
    "cookie",
    "host",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "origin",
    "sec-fetch-site",
    "traceparent",
    SYNC_TOKEN,
];

/// Headers of which a value has no comma. API Gateway joins a header that was sent twice with
/// one.
const WITHOUT_COMMA: [&str; 2] = ["authorization", "idempotency-key"];

const SYNC_TOKEN: &str = "x-sync-token";

/// The longest sync token, in bytes. Those of the service are far shorter.
const LONGEST_SYNC_TOKEN: usize = 512;

/// The largest body, in bytes.
const LARGEST_BODY: usize = 256 * 1024;

/// An HTTP request through API Gateway.
pub struct Request {
    inner: lambda_http::Request,
}

impl Request {
    pub(super) fn new(inner: lambda_http::Request) -> Request {
        Request { inner }
    }

    /// The request as the runtime gave it.
    pub(super) fn http(&self) -> &lambda_http::Request {
        &self.inner
    }

    /// The HTTP method.
    pub fn method(&self) -> &Method {
        self.inner.method()
    }

    /// The path without the stage, as the routes are written.
    pub fn path(&self) -> &str {
        self.inner.raw_http_path()
    }

    /// Checks that each header the request is read by was sent once at most, in visible
    /// ASCII.
    ///
    /// # Errors
    /// 400 that names the header.
    pub(super) fn check_headers(&self) -> Result<(), ApiError> {
        for name in READ {
            let values = self.inner.headers().get_all(name);
            if values.iter().any(|value| value.to_str().is_err()) {
                let detail = "expected visible ASCII characters only";
                return Err(FieldError::header(name, FieldCode::Invalid, detail).into());
            }
            // Clients over HTTP/2 may send cookies in several headers.
            let is_twice = values.iter().nth(1).is_some() || is_joined(name, values.iter().next());
            if name != "cookie" && is_twice {
                let detail = "expected this header once";
                return Err(FieldError::header(name, FieldCode::Duplicate, detail).into());
            }
        }
        if self
            .sync_token()
            .is_some_and(|token| token.len() > LONGEST_SYNC_TOKEN)
        {
            let detail = format!("expected at most {LONGEST_SYNC_TOKEN} characters");
            return Err(FieldError::header(SYNC_TOKEN, FieldCode::OutOfRange, detail).into());
        }
        Ok(())
    }

    /// Whether a header was sent, readable or not.
    pub(super) fn has_header(&self, name: &str) -> bool {
        self.inner.headers().contains_key(name)
    }

    /// A header, if it is text. A request with an unreadable one was refused before.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.inner.headers().get(name)?.to_str().ok()
    }

    /// The cookies, each `name=value`.
    pub(super) fn cookies(&self) -> impl Iterator<Item = &str> {
        let headers = self.inner.headers().get_all("cookie").into_iter();
        headers
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
    }

    /// What follows the `?`, as it was sent.
    pub(super) fn raw_query(&self) -> &str {
        self.inner.uri().query().unwrap_or_default()
    }

    /// The tags in `If-Match` or `If-None-Match`, if the header was sent.
    ///
    /// # Errors
    /// 400 when it is no list of tags.
    pub fn entity_tags(&self, name: &'static str) -> Result<Option<EntityTags>, ApiError> {
        let text = self.header(name);
        Ok(text.map(|text| EntityTags::parse(name, text)).transpose()?)
    }

    /// What the request asks for: path, query and body, in a form that is the same for all
    /// requests with the same meaning. See [`input::canonical`].
    pub(super) fn meaning(&self) -> [Vec<u8>; 3] {
        let path = self.path().trim_end_matches('/');
        let mut query: Vec<&str> = self.raw_query().split('&').collect();
        query.sort_unstable();
        let bytes = self.bytes();
        let text = std::str::from_utf8(bytes).ok();
        let body = text
            .filter(|text| text.len() <= LARGEST_BODY)
            .and_then(input::canonical);
        let body = body.map_or_else(|| bytes.to_vec(), String::into_bytes);
        [path.into(), query.join("&").into(), body]
    }

    /// The address API Gateway was called from.
    pub(super) fn source_ip(&self) -> Option<&str> {
        match self.inner.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref(),
            _ => None,
        }
    }

    /// The id under which this request is logged.
    pub fn id(&self) -> String {
        self.inner
            .lambda_context_ref()
            .map(|context| context.request_id.clone())
            .unwrap_or_default()
    }

    /// The unix milliseconds at which Lambda ends this invocation.
    pub(super) fn deadline_ms(&self) -> u64 {
        self.inner
            .lambda_context_ref()
            .map_or(0, |context| context.deadline)
    }

    /// The trace the request belongs to: the caller's own, or the one that began at API
    /// Gateway.
    pub fn trace(&self) -> Option<Trace> {
        let own = self.header("traceparent").and_then(Trace::parse);
        own.or_else(|| self.header("x-amzn-trace-id").and_then(Trace::from_xray))
    }

    /// The state the caller wants to see at least, as an earlier reply gave it.
    pub(super) fn sync_token(&self) -> Option<&str> {
        self.header(SYNC_TOKEN).filter(|token| !token.is_empty())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self.inner.body() {
            Body::Text(text) => text.as_bytes(),
            Body::Binary(bytes) => bytes,
            _ => &[],
        }
    }

    /// The body as text.
    ///
    /// # Errors
    /// 413 over 256 KB, 415 when it is not said to be JSON, 400 when it is not UTF-8.
    pub fn text(&self) -> Result<&str, ApiError> {
        let bytes = self.bytes();
        if bytes.len() > LARGEST_BODY {
            return Err(ApiError::too_large(LARGEST_BODY));
        }
        let is_json = self.header("content-type").is_some_and(|value| {
            let media = value.split(';').next().unwrap_or("").trim();
            media.eq_ignore_ascii_case("application/json")
        });
        if !is_json {
            return Err(ApiError::not_json());
        }
        std::str::from_utf8(bytes)
            .map_err(|_| FieldError::body(FieldCode::Syntax, "expected UTF-8").into())
    }

    /// The body read as `T`.
    ///
    /// # Errors
    /// As [`Request::text`], and 400 that names everything that is wrong, and what it may be.
    /// Whether an unknown field is refused is said by `T`; the bodies of all routes refuse it.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        Ok(input::parse_object(self.text()?)?)
    }

    /// The body read as one `T` or as an array of 1 to `most`.
    ///
    /// # Errors
    /// As [`Request::json`]; the place in the array is named.
    pub fn json_one_or_many<T: DeserializeOwned>(
        &self,
        most: usize,
    ) -> Result<OneOrMany<T>, ApiError> {
        Ok(input::parse_one_or_many(self.text()?, most)?)
    }
}

fn is_joined(name: &str, value: Option<&lambda_http::http::HeaderValue>) -> bool {
    WITHOUT_COMMA.contains(&name) && value.is_some_and(|value| value.as_bytes().contains(&b','))
}
