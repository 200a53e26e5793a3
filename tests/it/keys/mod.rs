//! Every key of a deployment has a row in `docs/KEYS.md`, has the type that the row
//! states, and expires when the row says.

mod census;
mod life;
mod table;

use std::time::Duration;

use integration::Options;
use shared::redis::commands::Strings as _;
use shared::redis::commands::keys::Keys as _;
use shared::redis::commands::strings::SetOptions;

use census::keys;
use life::Life;

use crate::scan::{CHANNEL, GUILD};

#[tokio::test]
async fn every_key_is_as_its_row_says_and_every_row_has_its_key() {
    let mut life = Life::begin(Options::default(), []).await;
    life.live().await;
    life.census.assert_complete();
    life.app.leaves_failed(6);
}

#[tokio::test]
async fn after_a_long_time_only_keys_without_expiry_are_left() {
    let mut life = Life::begin(Options::default(), []).await;
    life.live().await;
    let app = &life.app;
    app.advance(Duration::from_secs(431 * 86_400));
    while app.queue().retain().await.unwrap() > 0 {}
    life.census.assert_only_lasting(app).await;
    assert!(!keys(app).await.is_empty());
}

/// A key of this row that belongs to another deployment on the same database.
fn instance(pattern: &str) -> String {
    let (guild, channel) = (GUILD.to_string(), CHANNEL.to_string());
    let names = [
        ("{queue}", "scan"),
        ("{guildId}", guild.as_str()),
        ("{channelId}", channel.as_str()),
        ("{action}", "read"),
        ("{caller}", "api:unknown"),
        ("{kind}", "login"),
        ("{user}", "api"),
        ("{name}", "clips"),
    ];
    let known = names
        .iter()
        .fold(pattern.to_owned(), |text, (name, value)| {
            text.replace(name, value)
        });
    let mut parts = known.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let rest = part.split_once('}').map_or("", |(_, rest)| rest);
        text + &guild + rest
    })
}

#[tokio::test]
async fn a_deployment_with_another_prefix_touches_nothing_outside_it() {
    let rows = table::rows();
    let others: Vec<String> = rows
        .iter()
        .filter(|row| row.is_prefixed)
        .map(|row| format!("trawl:{}", instance(&row.pattern)))
        .collect();
    let options = Options {
        key_prefix: "acme:".to_owned(),
        ..Options::default()
    };
    let mut life = Life::begin(options, others.clone()).await;
    for key in &others {
        let options = SetOptions::new();
        let stored = life.app.redis.set(key, "untouched", options).await;
        assert!(stored.unwrap());
    }
    life.live().await;
    life.census.assert_complete();
    let app = &life.app;
    for key in &others {
        let value = app.redis.get(key).await.unwrap();
        let ttl = app.redis.pttl(key).await.unwrap();
        assert_eq!((value.as_deref(), ttl), (Some("untouched"), -1), "{key}");
    }
    let ours = keys(app)
        .await
        .into_iter()
        .filter(|key| !others.contains(key));
    for key in ours {
        assert!(key.starts_with("acme:") || key == "scan:jobs", "{key}");
    }
    app.leaves_failed(6);
}
