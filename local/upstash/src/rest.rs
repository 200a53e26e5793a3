//! The HTTP server: authenticates requests, decodes them and encodes replies. It knows no
//! commands.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use subtle::ConstantTimeEq as _;

use crate::body::ReplyBody;
use crate::engine::{Answer, Engine, EngineError, Job};
use crate::faults::{FaultAction, Faults};
use crate::guard::Guard;
use crate::limits::{Limits, quota_text};
use crate::meter::{Meter, RequestKind};
use crate::wire::encode::{self, Encoding};
use crate::wire::request::{self, Parsed};

/// The status when the quota is used up. The service documents only the text, not the
/// status.
const QUOTA_STATUS: StatusCode = StatusCode::BAD_REQUEST;

const BAD_TOKEN: &str = "WRONGPASS invalid or missing auth token";

/// The connection has to be closed without a reply.
#[derive(Debug, thiserror::Error)]
#[error("the connection was dropped on purpose")]
pub struct Dropped;

/// A token and the database it gives access to.
pub struct Access {
    pub token: String,
    pub db: usize,
}

pub struct Rest {
    pub guard: Guard,
    pub engine: Engine,
    pub access: Vec<Access>,
    pub limits: Arc<Limits>,
    pub meter: Arc<Meter>,
    pub faults: Arc<Faults>,
    pub sync: SyncToken,
}

/// Tokens for read-your-writes consistency. They are opaque and differ in every reply.
/// There are no replicas here, so tokens from clients are ignored. Everyone sees them, so
/// they must not be derived from a secret.
pub struct SyncToken {
    prefix: u64,
    n: AtomicU64,
}

impl SyncToken {
    /// `prefix` differs between any two starts of a server.
    pub fn new(prefix: u64) -> Self {
        Self {
            prefix,
            n: AtomicU64::new(0),
        }
    }

    fn next(&self) -> String {
        format!(
            "{:016x}-{:x}",
            self.prefix,
            self.n.fetch_add(1, Ordering::Relaxed) + 1
        )
    }
}

type Reply = Response<ReplyBody>;

impl Rest {
    /// Answers one request.
    ///
    /// # Errors
    ///
    /// [`Dropped`] if a fault closes the connection instead.
    pub async fn handle(&self, request: Request<Incoming>) -> Result<Reply, Dropped> {
        let (head, body) = request.into_parts();
        let path = head.uri.path();
        let format = request::encoding(
            head.headers
                .get("upstash-encoding")
                .map(HeaderValue::as_bytes),
            head.headers
                .get("upstash-response-format")
                .map(HeaderValue::as_bytes),
            path,
        );
        let encoding = *format.as_ref().unwrap_or(&Encoding::Plain);
        let refuse =
            |status, text: &str| Ok(self.reply(status, encode::error(text, encoding), encoding));
        if let Err(refusal) = self.guard.check(&head.uri, &head.headers) {
            return refuse(StatusCode::FORBIDDEN, &format!("ERR {refusal}"));
        }
        if ![Method::GET, Method::HEAD, Method::POST, Method::PUT].contains(&head.method) {
            return refuse(StatusCode::METHOD_NOT_ALLOWED, "ERR method not allowed");
        }
        let Some(db) = self.database_of(&head.headers, head.uri.query()) else {
            return refuse(StatusCode::UNAUTHORIZED, BAD_TOKEN);
        };
        if let Err(text) = format {
            return refuse(StatusCode::BAD_REQUEST, text);
        }
        // Read only after authentication: a stranger's body is not worth the memory or
        // the time.
        let body = match read_body(body, self.limits.request_bytes).await {
            Ok(body) => body,
            Err(text) => return refuse(StatusCode::BAD_REQUEST, text),
        };
        let parsed = match request::parse(path, head.uri.query(), &body) {
            Ok(parsed) => parsed,
            Err(text) => return refuse(StatusCode::BAD_REQUEST, &text),
        };
        let fault = self.fault(&parsed, path, &body);
        if let Some(answer) = self.before(fault, encoding).await {
            return answer;
        }
        if let Some(limit) = self.limits.max_commands
            && self.meter.total() >= limit
        {
            return refuse(QUOTA_STATUS, &quota_text(limit, self.meter.total()));
        }
        self.meter.count_request(parsed.kind);
        let (status, content) = self.run(parsed, db, encoding, fault).await;
        match fault {
            Some(FaultAction::DropAfterCommit) => Err(Dropped),
            Some(FaultAction::StatusAfterCommit(status)) => self.status_only(status, encoding),
            Some(FaultAction::TruncateBody) => Ok(self.truncated(status, content, encoding)),
            _ => Ok(self.reply(status, content, encoding)),
        }
    }

    fn database_of(&self, headers: &HeaderMap, query: Option<&str>) -> Option<usize> {
        let bearer = headers
            .get(header::AUTHORIZATION)
            .map(HeaderValue::as_bytes);
        let sent = match bearer {
            Some(value) => match value.split_at_checked(7) {
                Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"bearer ") => token.to_vec(),
                _ => return None,
            },
            None => request::query_token(query)?,
        };
        // Compare all tokens in constant time, so that the time does not reveal a partial
        // match.
        let mut found = None;
        for access in &self.access {
            if bool::from(access.token.as_bytes().ct_eq(&sent)) {
                found = Some(access.db);
            }
        }
        found
    }

    fn fault(&self, parsed: &Parsed, path: &str, body: &[u8]) -> Option<FaultAction> {
        if self.faults.is_empty() {
            return None;
        }
        let names: Vec<String> = parsed
            .commands
            .iter()
            .filter_map(|command| command.first())
            .map(|name| String::from_utf8_lossy(name).to_ascii_lowercase())
            .collect();
        let text = format!("{path}\n{}", String::from_utf8_lossy(body)).to_ascii_lowercase();
        self.faults.strike(&names, &text)
    }

    /// The reply of a fault that prevents execution. A delay only waits.
    async fn before(
        &self,
        fault: Option<FaultAction>,
        encoding: Encoding,
    ) -> Option<Result<Reply, Dropped>> {
        match fault? {
            FaultAction::DropBefore => Some(Err(Dropped)),
            FaultAction::Status(status) => Some(self.status_only(status, encoding)),
            FaultAction::QuotaExceeded => {
                let text = quota_text(500_000, 500_000);
                let content = encode::error(&text, encoding);
                Some(Ok(self.reply(QUOTA_STATUS, content, encoding)))
            }
            FaultAction::Error(failure) => {
                let content = encode::error(failure.text(), encoding);
                Some(Ok(self.reply(StatusCode::BAD_REQUEST, content, encoding)))
            }
            FaultAction::NotJson(status) => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
                let page = format!("<html><body><h1>{status}</h1></body></html>");
                let mut response = self.reply(status, page.into_bytes(), encoding);
                let html = HeaderValue::from_static("text/html");
                response.headers_mut().insert(header::CONTENT_TYPE, html);
                Some(Ok(response))
            }
            FaultAction::Delay(delay) => {
                tokio::time::sleep(delay).await;
                None
            }
            _ => None,
        }
    }

    async fn run(
        &self,
        parsed: Parsed,
        db: usize,
        encoding: Encoding,
        fault: Option<FaultAction>,
    ) -> (StatusCode, Vec<u8>) {
        let job = Job {
            db,
            commands: parsed.commands,
            atomic: parsed.kind == RequestKind::MultiExec,
        };
        if fault == Some(FaultAction::Duplicate) {
            let _ = self.engine.run(job.clone()).await;
        }
        let answer = self.engine.run(job).await;
        let failed = StatusCode::BAD_REQUEST;
        match answer {
            Ok(Answer::Ran(replies)) if parsed.kind != RequestKind::Single => {
                (StatusCode::OK, encode::replies(&replies, encoding))
            }
            Ok(Answer::Ran(replies)) => match replies.first() {
                Some(reply @ crate::reply::Reply::Error(_)) => {
                    (failed, encode::reply(reply, encoding))
                }
                Some(reply) => (StatusCode::OK, encode::reply(reply, encoding)),
                None => (failed, encode::error("ERR empty command", encoding)),
            },
            Ok(Answer::Discarded(text)) => (failed, encode::error(&text, encoding)),
            Err(error) => {
                let status = match error {
                    EngineError::Away(_) => StatusCode::SERVICE_UNAVAILABLE,
                    EngineError::Stopped | EngineError::Lost(_) => {
                        StatusCode::INTERNAL_SERVER_ERROR
                    }
                };
                (status, encode::error(&format!("ERR {error}"), encoding))
            }
        }
    }

    fn reply(&self, status: StatusCode, content: Vec<u8>, encoding: Encoding) -> Reply {
        let mut response = Response::new(ReplyBody::whole(content));
        *response.status_mut() = status;
        let kind = match encoding {
            Encoding::Resp2 => "application/octet-stream",
            _ => "application/json",
        };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        if let Ok(token) = HeaderValue::try_from(self.sync.next()) {
            headers.insert("upstash-sync-token", token);
        }
        response
    }

    fn status_only(&self, status: u16, encoding: Encoding) -> Result<Reply, Dropped> {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let text = format!("ERR {}", status.canonical_reason().unwrap_or("failed"));
        Ok(self.reply(status, encode::error(&text, encoding), encoding))
    }

    fn truncated(&self, status: StatusCode, content: Vec<u8>, encoding: Encoding) -> Reply {
        let promised = HeaderValue::from(content.len());
        let half = content.len() / 2;
        let mut response = self.reply(status, content, encoding);
        response
            .headers_mut()
            .insert(header::CONTENT_LENGTH, promised);
        response.body_mut().cut_after(half);
        response
    }
}

/// Reads a body to its end even if it is too long. Otherwise a client that is still
/// sending would see a reset connection instead of the reply.
async fn read_body(mut body: Incoming, limit: usize) -> Result<Bytes, &'static str> {
    let mut read = Vec::with_capacity(body.size_hint().lower().min(limit as u64) as usize);
    let mut too_long = false;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Err("ERR the request body ended early");
        };
        if let Some(data) = frame.data_ref() {
            too_long |= read.len() + data.len() > limit;
            if !too_long {
                read.extend_from_slice(data);
            }
        }
    }
    match too_long {
        true => Err("ERR max request size exceeded"),
        false => Ok(read.into()),
    }
}
