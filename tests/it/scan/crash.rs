//! A drainer that dies at any of its awaits: before or after any of its requests to Redis,
//! and during any of those to Discord.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use discord_local::{Action, Fault};
use drain::Drain;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use integration::TestApp;
use serde_json::json;
use shared::redis::{Error, RawCommand, Redis, RedisService, Reply, Scope};

use super::fence::drainer;
use super::{CHANNEL, GUILD, guild_with, true_clip_ids};
use crate::clips::all;

/// The Redis client of a process that dies in one of its calls.
#[derive(Clone)]
struct Dying {
    redis: Redis,
    /// Steps until then: each call has one before and one after it was sent.
    steps: Arc<AtomicUsize>,
}

impl Dying {
    async fn step(&self) {
        if self.steps.load(Ordering::SeqCst) == 0 {
            return std::future::pending().await;
        }
        if self.steps.fetch_sub(1, Ordering::SeqCst) == 1 {
            std::future::pending().await
        }
    }

    async fn around<T>(&self, call: BoxFuture<'_, T>) -> T {
        self.step().await;
        let answer = call.await;
        self.step().await;
        answer
    }

    fn is_dead(&self) -> bool {
        self.steps.load(Ordering::SeqCst) == 0
    }
}

type Answers<'a, T> = BoxFuture<'a, Result<T, Error>>;

impl RedisService for Dying {
    fn execute(&self, command: RawCommand) -> Answers<'_, Reply> {
        self.around(self.redis.execute(command)).boxed()
    }

    fn pipeline(&self, commands: Vec<RawCommand>) -> Answers<'_, Vec<Result<Reply, Error>>> {
        self.around(self.redis.pipeline(commands)).boxed()
    }

    fn multi_exec(&self, commands: Vec<RawCommand>) -> Answers<'_, Vec<Result<Reply, Error>>> {
        self.around(self.redis.multi_exec(commands)).boxed()
    }

    fn scoped(&self, scope: Scope) -> Redis {
        Arc::new(Dying {
            redis: self.redis.scoped(scope),
            ..self.clone()
        })
    }

    fn sync_token(&self) -> Option<String> {
        self.redis.sync_token()
    }
}

async fn system() -> (TestApp, String) {
    let app = TestApp::with_guild(guild_with(330, 3)).await;
    let scan = app.scan(CHANNEL, json!({})).await;
    (app, scan)
}

/// Runs a drainer until it is dead. Returns whether it came to its end instead.
async fn drain_until(drain: Drain, is_dead: impl Fn() -> bool) -> bool {
    let running = tokio::spawn(async move { drain.handle(json!({}), 0).await });
    while !is_dead() && !running.is_finished() {
        tokio::task::yield_now().await;
    }
    running.abort();
    running.await.is_ok()
}

/// Others go on, and in the end everything is there once.
async fn check(app: &TestApp, scan: &str, place: &str) {
    for _ in 0..3 {
        app.advance(Duration::from_secs(70));
        app.drain().await;
    }
    let job = app.job(scan).await;
    assert_eq!(job["state"], "completed", "{place}: {job}");
    let found = &job["returnvalue"];
    let counts = (&found["messagesScanned"], &found["clipsFound"]);
    assert_eq!(counts, (&json!(330), &json!(110)), "{place}");
    let clips = all(app, GUILD, "limit=100").await;
    let mut ids: Vec<&str> = clips
        .iter()
        .map(|clip| clip["id"].as_str().unwrap())
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, true_clip_ids(&app.discord.guild(), CHANNEL), "{place}");
    let channel = app.channel(CHANNEL).await;
    let counts = (channel.message_count, channel.total_messages_scanned);
    assert_eq!(counts, (110, 330), "{place}");
    let stream = app.stream(scan).await;
    let reported = stream["events"].as_array().unwrap().iter();
    let reported: usize = reported
        .filter(|event| event["type"] == "clip")
        .map(|event| event["data"]["clips"].as_array().unwrap().len())
        .sum();
    assert_eq!(reported, 110, "{place}: each clip is reported once");
}

#[tokio::test]
async fn a_drainer_that_dies_around_any_request_to_redis_loses_and_doubles_nothing() {
    for step in 1.. {
        let (app, scan) = system().await;
        let dying = Dying {
            redis: app.redis.clone(),
            steps: Arc::new(AtomicUsize::new(step)),
        };
        let redis: Redis = Arc::new(dying.clone());
        let drain = drainer(&app, &redis, "sample-bot-token");
        let ended = drain_until(drain, || dying.is_dead()).await;
        check(&app, &scan, &format!("step {step}")).await;
        if ended {
            assert!(step > 12, "it ended at step {step}");
            return;
        }
    }
}

#[tokio::test]
async fn a_drainer_that_dies_during_any_request_to_discord_loses_and_doubles_nothing() {
    for request in 0.. {
        let (app, scan) = system().await;
        let held = Fault::once(Action::Delay(Duration::from_secs(3600))).skip(request);
        app.discord.faults().add(held);
        let drain = drainer(&app, &app.redis, "sample-bot-token");
        let seen = || app.discord.requests().len() > request as usize;
        let ended = drain_until(drain, seen).await;
        app.discord.faults().clear();
        check(&app, &scan, &format!("request {request}")).await;
        if ended {
            assert!(request >= 5, "it ended after {request} requests");
            return;
        }
    }
}
