//! An endpoint under test, with shortcuts for requests.

use std::hash::{BuildHasher, RandomState};

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use upstash_local::{MeterSnapshot, Options, RedisUrl, Server, Store};

/// Which endpoint is tested.
#[derive(Debug, Clone)]
pub enum Target {
    Embedded,
    /// A real server behind the endpoint. Its databases are flushed.
    #[cfg_attr(test, allow(dead_code, reason = "only the example goes there"))]
    Redis(RedisUrl),
    /// A shared database at the hosted service or behind another endpoint. Only keys
    /// under a prefix of the case are used, and they are deleted afterwards.
    Service {
        url: String,
        token: String,
    },
}

pub struct Endpoint {
    pub client: reqwest::Client,
    pub target: Target,
    url: String,
    token: String,
    server: Option<Server>,
    /// Added to every key that is sent and removed from every reply.
    prefix: String,
}

impl Endpoint {
    /// Starts a server with these options, or connects to the given one.
    pub async fn open(target: &Target, mut options: Options) -> Self {
        // The HTTP client needs a TLS provider even for plain HTTP.
        let _ = rustls::crypto::ring::default_provider().install_default();
        if let Target::Redis(url) = target {
            options.store = Store::Redis { url: url.clone() };
        }
        let (url, token, server, prefix) = match target {
            Target::Service { url, token } => {
                let prefix = format!("conformance:{:016x}:", RandomState::new().hash_one(0));
                let url = url.trim_end_matches('/').to_owned();
                (url, token.clone(), None, prefix)
            }
            _ => {
                let server = Server::start(options).await.unwrap();
                let token = server.token().to_owned();
                (server.url(), token, Some(server), String::new())
            }
        };
        let endpoint = Self {
            client: reqwest::Client::new(),
            target: target.clone(),
            url,
            token,
            server,
            prefix,
        };
        if let (Target::Redis(_), Some(server)) = (target, &endpoint.server) {
            let clean = json!([["FLUSHDB"], ["SCRIPT", "FLUSH"]]);
            let (status, body) = endpoint.batch("/pipeline", clean).await;
            assert!(status.is_success(), "{body}");
            server.reset_meter();
        }
        endpoint
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    /// A key as it must be written in paths and scripts. In commands, the prefix is added
    /// automatically.
    pub fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The billing counters, where they can be read.
    pub fn meter(&self) -> Option<MeterSnapshot> {
        self.server.as_ref().map(Server::meter)
    }

    /// The server, if the test started it.
    pub fn server(&self) -> &Server {
        self.server
            .as_ref()
            .expect("the case needs a server of its own")
    }

    pub fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.client
            .post(format!("{}{path}", self.url))
            .bearer_auth(&self.token)
    }

    /// The response body for a command sent as an array.
    pub async fn raw(&self, command: Value) -> Value {
        let response = self.try_send("/", &command).await.unwrap();
        self.read(response).await
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

    /// Sends a command, or several to `/pipeline` and `/multi-exec`.
    pub async fn try_send(&self, path: &str, body: &Value) -> reqwest::Result<Response> {
        let mut body = body.clone();
        match (path, &mut body) {
            ("/", command) => self.prefix_keys(command),
            (_, Value::Array(commands)) => {
                commands
                    .iter_mut()
                    .for_each(|command| self.prefix_keys(command));
            }
            _ => {}
        }
        self.post(path).body(body.to_string()).send().await
    }

    pub async fn batch(&self, path: &str, commands: Value) -> (StatusCode, Value) {
        let response = self.try_send(path, &commands).await.unwrap();
        (response.status(), self.read(response).await)
    }

    async fn read(&self, response: Response) -> Value {
        let mut body = response.json().await.unwrap();
        if !self.prefix.is_empty() {
            strip(&mut body, &self.prefix);
        }
        body
    }

    fn prefix_keys(&self, command: &mut Value) {
        let Value::Array(words) = command else {
            return;
        };
        if self.prefix.is_empty() {
            return;
        }
        let plain: Vec<Vec<u8>> = words.iter().map(|word| text(word).into_bytes()).collect();
        for place in upstash_local::key_places(&plain) {
            words[place] = json!(self.key(&text(&words[place])));
        }
    }

    /// On a shared database, deletes what the case left behind.
    pub async fn close(self) {
        if !self.prefix.is_empty() {
            let pattern = format!("{}*", self.prefix);
            let mut cursor = json!("0");
            loop {
                let scan = json!(["SCAN", cursor, "MATCH", pattern, "COUNT", 1000]);
                let page = self.run(scan).await;
                // The prefix was removed from the reply; DEL adds it again.
                let mut delete = vec![json!("DEL")];
                delete.extend(page[1].as_array().unwrap().iter().cloned());
                if delete.len() > 1 {
                    self.run(Value::Array(delete)).await;
                }
                cursor = page[0].clone();
                if cursor == "0" {
                    break;
                }
            }
        }
        if let Some(server) = self.server {
            server.stop().await;
        }
    }
}

pub fn eval(script: &str, keys: &[&str], args: &[&str]) -> Value {
    let mut command = vec![json!("EVAL"), json!(script), json!(keys.len())];
    command.extend(keys.iter().chain(args).map(|word| json!(word)));
    Value::Array(command)
}

/// A word as the server receives it.
fn text(word: &Value) -> String {
    match word {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn strip(body: &mut Value, prefix: &str) {
    match body {
        Value::String(text) => *text = text.replace(prefix, ""),
        Value::Array(items) => items.iter_mut().for_each(|item| strip(item, prefix)),
        Value::Object(fields) => fields.values_mut().for_each(|field| strip(field, prefix)),
        _ => {}
    }
}
