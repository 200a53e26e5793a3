//! Sends `kill -9` during a scan to the endpoint or to the functions' host, which run as
//! separate processes. Nothing acknowledged is lost, and nothing is counted twice.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use discord_local::RateLimit;
use integration::{NODE_TOKEN, TestApp};
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::config::{Provider, RedisConfig};
use shared::counters::{CLIPS, Counters, Period};
use shared::scan::ScanStore;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::scan::{CHANNEL, GUILD, guild_with, true_clip_ids};

/// Far longer than a round takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Victim {
    Host,
    Endpoint,
    Both,
}

/// The processes and their addresses, which stay the same after a restart.
struct Nodes {
    endpoint: Child,
    host: Child,
    endpoint_at: SocketAddr,
    host_at: SocketAddr,
    db: std::path::PathBuf,
    discord: String,
}

fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

async fn node(words: &[&str]) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_node"))
        .args(words)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("ready"));
    child
}

impl Nodes {
    async fn start(db: std::path::PathBuf, discord: String) -> Nodes {
        let (endpoint_at, host_at) = (free_address(), free_address());
        let endpoint = node(&["endpoint", &endpoint_at.to_string(), db.to_str().unwrap()]).await;
        let redis = format!("http://{endpoint_at}");
        let host = node(&["host", &host_at.to_string(), &redis, &discord]).await;
        Nodes {
            endpoint,
            host,
            endpoint_at,
            host_at,
            db,
            discord,
        }
    }

    /// Kills a process without warning and starts it again.
    async fn kill(&mut self, victim: Victim) {
        if victim != Victim::Endpoint {
            self.host.kill().await.unwrap();
        }
        if victim != Victim::Host {
            self.endpoint.kill().await.unwrap();
            let (at, db) = (self.endpoint_at.to_string(), self.db.to_str().unwrap());
            self.endpoint = node(&["endpoint", &at, db]).await;
        }
        if victim != Victim::Endpoint {
            let redis = format!("http://{}", self.endpoint_at);
            self.host = node(&["host", &self.host_at.to_string(), &redis, &self.discord]).await;
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host_at)
    }
}

/// The host's reply, if it is running.
async fn ask(request: reqwest::RequestBuilder) -> Option<Value> {
    let response = request.bearer_auth(TestApp::API_KEY).send().await.ok()?;
    response.json().await.ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_during_a_scan_loses_nothing_and_counts_nothing_twice() {
    let messages = 5000;
    let guild = guild_with(messages, 7);
    let discord = discord_local::Server::start(discord_local::Options {
        guild,
        rate_limit: RateLimit::off(),
        ..discord_local::Options::default()
    })
    .await
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut nodes = Nodes::start(folder.path().join("redis.db"), discord.url()).await;
    let http = shared::http_client().unwrap();
    let body = json!({ "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string(), "scanMode": "backfill" });
    let created = ask(http.post(nodes.url("/api/jobs/scan")).json(&body))
        .await
        .unwrap();
    let job = format!("/api/jobs/{}", created["jobId"].as_str().unwrap());

    let started = Instant::now();
    let drain = |nodes: &Nodes| {
        let invoke = http
            .post(nodes.url("/2015-03-31/functions/drain/invocations"))
            .json(&json!({}));
        tokio::spawn(ask(invoke))
    };
    // Two dead hosts. After a third one, the job would be considered poisonous.
    let victims = [
        Victim::Host,
        Victim::Endpoint,
        Victim::Both,
        Victim::Endpoint,
    ];
    for (kills, victim) in victims.into_iter().enumerate() {
        // A few pages later, at any moment in the processing of a page.
        let target = discord.requests().len() + 4 + kills;
        let mut running = drain(&nodes);
        while discord.requests().len() < target {
            assert!(started.elapsed() < PATIENCE, "no page after {kills} kills");
            if running.is_finished() {
                running = drain(&nodes);
            }
            tokio::task::yield_now().await;
        }
        let before = ask(http.get(nodes.url(&job))).await.unwrap();
        assert!(
            before["finishedAt"].is_null(),
            "the scan was over before it could be killed"
        );
        nodes.kill(victim).await;
    }
    let finished = loop {
        assert!(started.elapsed() < PATIENCE, "the scan did not end");
        let _ = drain(&nodes).await;
        match ask(http.get(nodes.url(&job))).await {
            Some(job) if job["finishedAt"].is_i64() => break job,
            _ => {}
        }
    };

    assert_eq!(finished["state"], "completed", "{finished}");
    assert_eq!(finished["returnvalue"]["messagesScanned"], messages);
    let redis = RedisConfig {
        provider: Provider::Local,
        url: format!("http://{}", nodes.endpoint_at),
        token: NODE_TOKEN.into(),
        key_prefix: "trawl:".to_owned(),
        ca_file: None,
    };
    let redis = shared::redis::connect(&redis, &Clock::system()).unwrap();
    let store = ScanStore::new(redis.clone(), "trawl:");
    let mut ids: Vec<String> = store
        .clips(&GUILD.to_string(), &CHANNEL.to_string())
        .await
        .unwrap()
        .into_iter()
        .map(|clip| clip.id)
        .collect();
    ids.sort();
    let guild = discord.guild();
    assert_eq!(ids, true_clip_ids(&guild, CHANNEL));
    let record = store
        .channel(&GUILD.to_string(), &CHANNEL.to_string())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(record.total_messages_scanned, messages as u64);
    assert_eq!(
        record.message_count,
        guild.clip_message_ids(CHANNEL).len() as u64
    );
    // Each clip was counted once, whichever process was killed.
    let counters = Counters::new(redis, "trawl:", Clock::system());
    let counted = counters.last(CLIPS, Period::Day, 2).await.unwrap();
    let counted: u64 = counted.iter().map(|(_, count)| count).sum();
    assert_eq!(counted, ids.len() as u64);
    assert_eq!(finished["returnvalue"]["clipsFound"], ids.len());
}
