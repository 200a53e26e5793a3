//! The client against the endpoint.

mod commands;
mod replies;

use shared::clock::Clock;
use shared::config::{Provider, RedisConfig};
use shared::redis::{Redis, connect};

pub fn client(server: &upstash_local::Server) -> Redis {
    client_with(server, server.token())
}

pub fn client_with(server: &upstash_local::Server, token: &str) -> Redis {
    let config = RedisConfig {
        provider: Provider::Local,
        url: server.url(),
        token: token.into(),
        key_prefix: String::new(),
        ca_file: None,
    };
    connect(&config, &Clock::manual(integration::START_MS)).unwrap()
}
