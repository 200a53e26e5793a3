//! The control API on loopback: the billing meter, faults and the clock.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::body::ReplyBody;
use crate::clock::Clock;
use crate::faults::{Fault, Faults};
use crate::guard::Guard;
use crate::meter::Meter;
use crate::rest::Dropped;

/// A control request is a few lines of JSON.
const MAX_BODY_BYTES: usize = 1_000_000;

pub struct Control {
    pub guard: Guard,
    pub meter: Arc<Meter>,
    pub faults: Arc<Faults>,
    pub clock: Clock,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MoveClock {
    advance_ms: Option<u64>,
    set_ms: Option<i64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(Fault),
    Many(Vec<Fault>),
}

type Outcome = Result<Value, (StatusCode, String)>;

impl Control {
    pub async fn handle(&self, request: Request<Incoming>) -> Result<Response<ReplyBody>, Dropped> {
        let (head, body) = request.into_parts();
        let checked = self
            .guard
            .check_control(&head.method, &head.uri, &head.headers);
        let outcome = match checked {
            Ok(()) => match Limited::new(body, MAX_BODY_BYTES).collect().await {
                Ok(body) => self.answer(&head.method, head.uri.path(), &body.to_bytes()),
                Err(_) => Err((
                    StatusCode::BAD_REQUEST,
                    "cannot read the request body".into(),
                )),
            },
            Err(refusal) => Err((StatusCode::FORBIDDEN, refusal.to_string())),
        };
        let (status, content) = match outcome {
            Ok(content) => (StatusCode::OK, content),
            Err((status, text)) => (status, json!({ "error": text })),
        };
        let mut response = Response::new(ReplyBody::whole(content.to_string().into_bytes()));
        *response.status_mut() = status;
        let kind = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        Ok(response)
    }

    fn answer(&self, method: &Method, path: &str, body: &[u8]) -> Outcome {
        match (method.as_str(), path) {
            ("GET", "/meter") => Ok(json!(self.meter.snapshot())),
            ("POST", "/meter/reset") => {
                self.meter.reset();
                Ok(json!(self.meter.snapshot()))
            }
            ("GET", "/faults") => Ok(self.faults_state()),
            ("POST", "/faults") => {
                match read(body)? {
                    OneOrMany::One(fault) => self.faults.add(fault),
                    OneOrMany::Many(faults) => {
                        faults.into_iter().for_each(|fault| self.faults.add(fault))
                    }
                }
                Ok(self.faults_state())
            }
            ("DELETE", "/faults") => {
                self.faults.clear();
                Ok(self.faults_state())
            }
            ("GET", "/clock") => Ok(self.clock_state()),
            ("POST", "/clock") => self.move_clock(&read(body)?),
            _ => Err((
                StatusCode::NOT_FOUND,
                format!("unknown control request: {method} {path}"),
            )),
        }
    }

    fn faults_state(&self) -> Value {
        json!({ "waiting": self.faults.waiting(), "fired": self.faults.fired() })
    }

    fn clock_state(&self) -> Value {
        json!({ "nowMs": self.clock.now_ms(), "manual": self.clock.is_manual() })
    }

    fn move_clock(&self, wanted: &MoveClock) -> Outcome {
        if !self.clock.is_manual() {
            return Err((
                StatusCode::CONFLICT,
                "the clock cannot be set because the server uses the system clock".into(),
            ));
        }
        if let Some(now_ms) = wanted.set_ms {
            self.clock.set(now_ms);
        }
        if let Some(by_ms) = wanted.advance_ms {
            self.clock.advance(Duration::from_millis(by_ms));
        }
        Ok(self.clock_state())
    }
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, (StatusCode, String)> {
    serde_json::from_slice(body).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))
}
