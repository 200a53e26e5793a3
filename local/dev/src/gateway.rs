//! A stand-in for API Gateway. It turns an HTTP request into an event in payload format
//! 2.0, passes it to the function that owns the route, and turns the answer back into
//! HTTP.
//!
//! The event is serialised to JSON and parsed again, so a handler receives exactly what
//! it receives in the cloud.

use anyhow::Context as _;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Context, LambdaEvent, service_fn};
use serde_json::{Map, Value, json};
use shared::http::{Sender, match_path};
use tower::Service as _;
use ulid::Ulid;

use crate::functions::{Function, Functions};

/// Timeout of a route in API Gateway.
const ROUTE_TIMEOUT_MS: i64 = 29_000;

/// An incoming HTTP request.
pub struct Incoming {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// IP address of the client.
    pub source_ip: String,
}

/// An outgoing HTTP response.
#[derive(Debug)]
pub struct Outgoing {
    pub status: StatusCode,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Dispatches requests to functions.
#[derive(Clone)]
pub struct Gateway {
    functions: Functions,
}

struct Match<'a> {
    function: &'a Function,
    method: Method,
    path: &'static str,
    parameters: Vec<(&'static str, String)>,
}

impl Gateway {
    pub fn new(functions: Functions) -> Gateway {
        Gateway { functions }
    }

    /// Handles one request.
    ///
    /// # Errors
    /// If an event or an answer does not have the format that API Gateway defines.
    pub async fn answer(&self, incoming: Incoming) -> anyhow::Result<Outgoing> {
        let found = self.find(&incoming.method, incoming.uri.path());
        let found = found
            .or_else(|| self.nowhere())
            .context("no function serves HTTP routes")?;
        let event = self.event(&incoming, &found);
        let answer = self.invoke(found.function, event).await?;
        outgoing(&answer)
    }

    /// Identifies the sender of a request from its headers, before the body is read.
    pub async fn sender(&self, incoming: &Incoming) -> Sender {
        let Some(found) = self.find(&incoming.method, incoming.uri.path()) else {
            return Sender::Refused;
        };
        let event = self.event(incoming, &found).to_string();
        match serde_json::from_str::<LambdaRequest>(&event) {
            Ok(head) => found.function.app.sender(head.into()).await,
            Err(_) => Sender::Refused,
        }
    }

    /// Passes an event to a function and returns its answer.
    ///
    /// # Errors
    /// If the event does not have the format that API Gateway defines.
    pub async fn invoke(&self, function: &Function, event: Value) -> anyhow::Result<Value> {
        let request: LambdaRequest = serde_json::from_str(&event.to_string())
            .context("the event is not one of API Gateway's")?;
        let mut context = Context::default();
        context.request_id = Ulid::generate().to_string();
        context.deadline =
            u64::try_from(self.functions.clock.now_ms() + ROUTE_TIMEOUT_MS).unwrap_or(0);
        let app = function.app.clone();
        let mut adapter = Adapter::from(service_fn(move |request| {
            let app = app.clone();
            async move { Ok::<_, std::convert::Infallible>(app.answer(request).await) }
        }));
        let answer = adapter.call(LambdaEvent::new(request, context)).await?;
        Ok(serde_json::to_value(answer)?)
    }

    /// The function called `name`, if it serves HTTP routes.
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions
            .apps
            .iter()
            .find(|function| function.name == name)
    }

    /// Finds the most specific route for a request. If no route matches the method,
    /// returns one with the same path, so that its function can answer 405 with the
    /// allowed methods.
    fn find(&self, method: &Method, path: &str) -> Option<Match<'_>> {
        let mut matches: Vec<Match<'_>> = Vec::new();
        for function in &self.functions.apps {
            for (route_method, pattern) in function.app.routes() {
                if let Some(parameters) = match_path(pattern, path) {
                    let (method, path) = (route_method, pattern);
                    matches.push(Match {
                        function,
                        method,
                        path,
                        parameters,
                    });
                }
            }
        }
        matches.sort_by_key(|found| (found.method != *method, found.parameters.len()));
        matches.into_iter().next()
    }

    /// The target for a path that matches no route: any function, because all of them
    /// answer 404.
    fn nowhere(&self) -> Option<Match<'_>> {
        Some(Match {
            function: self.functions.apps.first()?,
            method: Method::GET,
            path: "$default",
            parameters: Vec::new(),
        })
    }

    fn event(&self, incoming: &Incoming, found: &Match<'_>) -> Value {
        let (method, path) = (incoming.method.as_str(), incoming.uri.path());
        let query = incoming.uri.query().unwrap_or_default();
        let route_key = format!("{method} {}", found.path);
        let mut headers = joined(&incoming.headers);
        // API Gateway passes cookies separately from the other headers.
        let cookies = headers.remove("cookie");
        let cookies: Option<Vec<String>> = cookies.as_ref().and_then(Value::as_str).map(|all| {
            let each = all.split([';', ',']);
            each.map(|cookie| cookie.trim().to_owned()).collect()
        });
        let is_text = std::str::from_utf8(&incoming.body).is_ok();
        let body = if is_text {
            String::from_utf8_lossy(&incoming.body).into_owned()
        } else {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.encode(&incoming.body)
        };
        let parameters: Map<String, Value> = found
            .parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let mut event = json!({
            "version": "2.0",
            "routeKey": route_key,
            "rawPath": path,
            "rawQueryString": query,
            "headers": headers,
            "queryStringParameters": query_parameters(query),
            "pathParameters": parameters,
            "requestContext": {
                "accountId": "000000000000",
                "apiId": "local",
                "domainName": headers.get("host").cloned().unwrap_or(json!("localhost")),
                "domainPrefix": "local",
                "http": {
                    "method": method,
                    "path": path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": incoming.source_ip,
                    "userAgent": headers.get("user-agent").cloned().unwrap_or(json!("")),
                },
                "requestId": Ulid::generate().to_string(),
                "routeKey": route_key,
                "stage": "$default",
                "timeEpoch": self.functions.clock.now_ms(),
            },
            "isBase64Encoded": !is_text,
        });
        if let Some(cookies) = cookies {
            event["cookies"] = json!(cookies);
        }
        if !incoming.body.is_empty() {
            event["body"] = json!(body);
        }
        event
    }
}

/// Headers as API Gateway passes them: names in lower case, repeated headers joined by
/// commas. Non-ASCII bytes are passed on as Latin-1 text; the function decides whether to
/// accept them.
fn joined(headers: &HeaderMap) -> Map<String, Value> {
    let mut map = Map::new();
    for name in headers.keys() {
        let text = |value: &HeaderValue| match std::str::from_utf8(value.as_bytes()) {
            Ok(text) => text.to_owned(),
            Err(_) => value
                .as_bytes()
                .iter()
                .map(|byte| char::from(*byte))
                .collect(),
        };
        let values: Vec<String> = headers.get_all(name).iter().map(text).collect();
        map.insert(name.as_str().to_owned(), json!(values.join(",")));
    }
    map
}

/// Query parameters as API Gateway passes them: decoded, repeated parameters joined by
/// commas.
fn query_parameters(query: &str) -> Map<String, Value> {
    let mut map: Map<String, Value> = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let value = match map.get(name.as_ref()).and_then(Value::as_str) {
            Some(before) => format!("{before},{value}"),
            None => value.into_owned(),
        };
        map.insert(name.into_owned(), json!(value));
    }
    map
}

fn outgoing(answer: &Value) -> anyhow::Result<Outgoing> {
    let status = answer["statusCode"]
        .as_u64()
        .context("the answer has no status")?;
    let text = answer["body"].as_str().unwrap_or_default();
    let body = if answer["isBase64Encoded"].as_bool() == Some(true) {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.decode(text)?
    } else {
        text.as_bytes().to_vec()
    };
    let mut headers = Vec::new();
    for part in ["headers", "multiValueHeaders"] {
        for (name, value) in answer[part].as_object().into_iter().flatten() {
            for value in value
                .as_array()
                .map_or(vec![value], |all| all.iter().collect())
            {
                headers.push((name.clone(), value.as_str().unwrap_or_default().to_owned()));
            }
        }
    }
    for cookie in answer["cookies"].as_array().into_iter().flatten() {
        let text = cookie.as_str().unwrap_or_default().to_owned();
        headers.push(("set-cookie".to_owned(), text));
    }
    headers.sort();
    headers.dedup();
    Ok(Outgoing {
        status: StatusCode::from_u16(u16::try_from(status)?)?,
        headers,
        body,
    })
}
