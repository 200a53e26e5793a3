//! A server of its own for each test, and short ways to ask it.

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use upstash_local::{Clock, Options, Server};

pub struct Endpoint {
    pub server: Server,
    pub client: reqwest::Client,
}

pub const START_MS: i64 = 1_800_000_000_000;

impl Endpoint {
    /// In memory, with a clock that stands still at [`START_MS`].
    pub async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub async fn with(options: Options) -> Self {
        // A client wants a TLS provider even when nothing is encrypted.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock = match options.clock.is_manual() {
            true => options.clock.clone(),
            false => Clock::manual(START_MS),
        };
        let server = Server::start(Options { clock, ..options }).await.unwrap();
        Self {
            server,
            client: reqwest::Client::new(),
        }
    }

    pub fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.client
            .post(format!("{}{path}", self.server.url()))
            .bearer_auth(self.server.token())
    }

    /// The body of a command sent as an array.
    pub async fn raw(&self, command: Value) -> Value {
        self.try_send("/", &command)
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    /// The result of a command that must succeed.
    pub async fn run(&self, command: Value) -> Value {
        let mut body = self.raw(command.clone()).await;
        assert!(body.get("error").is_none(), "{command}: {body}");
        body["result"].take()
    }

    /// The error of a command that must fail.
    pub async fn error(&self, command: Value) -> String {
        let body = self.raw(command.clone()).await;
        body["error"]
            .as_str()
            .unwrap_or_else(|| panic!("{command}: {body}"))
            .to_owned()
    }

    pub async fn eval(&self, script: &str, keys: &[&str], args: &[&str]) -> Value {
        self.raw(eval(script, keys, args)).await
    }

    pub async fn try_send(&self, path: &str, body: &Value) -> reqwest::Result<Response> {
        self.post(path).body(body.to_string()).send().await
    }

    pub async fn batch(&self, path: &str, commands: Value) -> (StatusCode, Value) {
        let response = self.try_send(path, &commands).await.unwrap();
        (response.status(), response.json().await.unwrap())
    }
}

pub fn eval(script: &str, keys: &[&str], args: &[&str]) -> Value {
    let mut command = vec![json!("EVAL"), json!(script), json!(keys.len())];
    command.extend(keys.iter().chain(args).map(|word| json!(word)));
    Value::Array(command)
}
