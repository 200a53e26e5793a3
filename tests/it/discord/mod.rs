//! The Discord-compatible server through its HTTP API.

// Clippy exempts only functions marked as tests, not their helpers.
#![allow(clippy::unwrap_used)]

mod access;
mod cdn;
mod damage;
mod faults;
mod limits;
mod listing;
mod pages;
mod threads;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use discord_local::{Guild, Options, RateLimit, Server};
use reqwest::{RequestBuilder, Response, StatusCode, header::HeaderMap};
use serde_json::Value;

const USER_AGENT: &str = "DiscordBot (https://trawl.example, 1.0)";
const TOKEN: &str = "sample-bot-token";
/// 2026-09-01T00:10:00Z.
const NOW_MS: i64 = 1_788_221_400_000;

/// reqwest links TLS without a crypto provider and fails to build without one, although
/// nothing here is encrypted.
fn client() -> reqwest::Client {
    // Fails if another test of this process has installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// A server, a client with the required headers, and a manual clock.
struct Fixture {
    server: Server,
    client: reqwest::Client,
    now_ms: Arc<AtomicI64>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Fixture {
    async fn start(guild: Guild) -> Self {
        Self::limited(guild, RateLimit::off()).await
    }

    async fn limited(guild: Guild, rate_limit: RateLimit) -> Self {
        let now_ms = Arc::new(AtomicI64::new(NOW_MS));
        let clock = Arc::clone(&now_ms);
        let server = Server::start(Options {
            guild,
            rate_limit,
            now_ms: Arc::new(move || clock.load(Ordering::SeqCst)),
            ..Options::default()
        })
        .await
        .unwrap();
        Self {
            server,
            client: client(),
            now_ms,
        }
    }

    fn advance_ms(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// A request to the API with user agent and token.
    fn request(&self, path: &str) -> RequestBuilder {
        self.client
            .get(format!("{}{path}", self.server.url()))
            .header("user-agent", USER_AGENT)
            .header("authorization", format!("Bot {TOKEN}"))
    }

    async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(path).send().await.unwrap()).await
    }

    /// The IDs of a page in the order in which they came.
    async fn ids(&self, path: &str) -> Vec<u64> {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        ids(&answer.body)
    }
}

impl Answer {
    async fn of(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        Self {
            status,
            headers,
            body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap().to_str().unwrap()
    }

    fn refusal(&self) -> (u16, u64) {
        (self.status.as_u16(), self.body["code"].as_u64().unwrap())
    }
}

fn ids(page: &Value) -> Vec<u64> {
    let messages = page.as_array().unwrap();
    messages.iter().map(id).collect()
}

fn id(object: &Value) -> u64 {
    object["id"].as_str().unwrap().parse().unwrap()
}

/// One text channel with id 2 and messages 1000, 1001, … .
fn numbered(n_messages: u64) -> Guild {
    let mut guild = Guild::empty(1);
    guild.add_text_channel(2, "clips");
    guild.fill(2, n_messages as usize, |index| {
        discord_local::MessageSpec::text("hello").id(1_000 + index as u64)
    });
    guild
}
