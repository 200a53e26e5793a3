//! An owner of a channel that returns late. The fence is compared where the cursors are
//! written.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dev::FunctionsConfig;
use drain::Drain;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use integration::TestApp;
use serde_json::json;
use shared::clock::Clock;
use shared::config::DiscordConfig;
use shared::discord::MessageId;
use shared::redis::{Error, Pipeline, RawCommand, Redis, RedisService, Reply, Scope};
use shared::scan::{
    Channel, Owner, Ownership, OwnershipRequest, PageSave, SCRIPTS, Saved, ScanStore,
};
use shared::start::Start;
use tokio::sync::Semaphore;

use super::{CHANNEL, GUILD, guild_with, true_clip_ids};

/// The Redis client of a process that stalls while it saves a page and continues later.
#[derive(Clone)]
struct Paused {
    redis: Redis,
    pause: Arc<Pause>,
}

struct Pause {
    /// Number of pages that are saved before that.
    pages: AtomicU32,
    stopped: AtomicBool,
    page: Semaphore,
    rest: Semaphore,
    /// What became of the page.
    answer: Mutex<Option<String>>,
}

impl Paused {
    fn after(pages: u32, redis: &Redis) -> Paused {
        Paused {
            redis: redis.clone(),
            pause: Arc::new(Pause {
                pages: AtomicU32::new(pages),
                stopped: AtomicBool::new(false),
                page: Semaphore::new(0),
                rest: Semaphore::new(0),
                answer: Mutex::new(None),
            }),
        }
    }

    /// Waits at the point where the process stalls. Returns true for the page at which it
    /// stalled.
    async fn pass(&self, commands: &[RawCommand]) -> bool {
        let pause = &self.pause;
        let saves = SCRIPTS.iter().find(|script| script.name == "save").unwrap();
        let is_page = commands
            .iter()
            .any(|command| command.words.iter().any(|word| word == saves.sha()));
        if is_page && !pause.stopped.load(Ordering::SeqCst) {
            let left = pause.pages.load(Ordering::SeqCst);
            pause.pages.store(left.saturating_sub(1), Ordering::SeqCst);
            pause.stopped.store(left == 0, Ordering::SeqCst);
        }
        if !pause.stopped.load(Ordering::SeqCst) {
            return false;
        }
        let way = if is_page { &pause.page } else { &pause.rest };
        way.acquire().await.unwrap().forget();
        is_page
    }

    fn stopped(&self) -> bool {
        self.pause.stopped.load(Ordering::SeqCst)
    }

    fn answer(&self) -> Option<String> {
        self.pause.answer.lock().unwrap().clone()
    }
}

/// The word that the save script returned.
fn word(replies: &[Result<Reply, Error>]) -> Option<String> {
    replies.iter().find_map(|reply| match reply {
        Ok(Reply::Array(parts)) => match parts.first() {
            Some(Reply::Bytes(word)) => Some(String::from_utf8_lossy(word).into_owned()),
            _ => None,
        },
        _ => None,
    })
}

type Answers<'a, T> = BoxFuture<'a, Result<T, Error>>;

impl RedisService for Paused {
    fn execute(&self, command: RawCommand) -> Answers<'_, Reply> {
        async move {
            self.pass(std::slice::from_ref(&command)).await;
            self.redis.execute(command).await
        }
        .boxed()
    }

    fn pipeline(&self, commands: Vec<RawCommand>) -> Answers<'_, Vec<Result<Reply, Error>>> {
        async move {
            let is_page = self.pass(&commands).await;
            let replies = self.redis.pipeline(commands).await?;
            if is_page {
                *self.pause.answer.lock().unwrap() = word(&replies);
            }
            Ok(replies)
        }
        .boxed()
    }

    fn multi_exec(&self, commands: Vec<RawCommand>) -> Answers<'_, Vec<Result<Reply, Error>>> {
        async move {
            self.pass(&commands).await;
            self.redis.multi_exec(commands).await
        }
        .boxed()
    }

    fn scoped(&self, scope: Scope) -> Redis {
        Arc::new(Paused {
            redis: self.redis.scoped(scope),
            ..self.clone()
        })
    }

    fn sync_token(&self) -> Option<String> {
        self.redis.sync_token()
    }
}

/// A drainer on this Redis with its own clock, which nothing reads while the process is
/// stalled.
pub fn drainer(app: &TestApp, redis: &Redis, token: &str) -> Drain {
    let clock = Clock::manual(app.clock.now_ms());
    let discord = DiscordConfig {
        token: token.into(),
        api_base: app.discord.url(),
        ..app.config.discord.clone()
    };
    let settings = FunctionsConfig {
        discord,
        invoke_url: None,
        ..app.config.clone()
    };
    let start = Start::with_redis(redis.clone(), Box::new(settings), clock).unwrap();
    drain::worker(&start).unwrap()
}

async fn until(done: impl Fn() -> bool) {
    for _ in 0..1_000_000 {
        if done() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it did not happen");
}

#[tokio::test]
async fn a_drainer_paused_over_its_lease_saves_no_page_when_it_goes_on() {
    // Two pages are saved at once.
    for pages in 0..2 {
        let app = TestApp::with_guild(guild_with(350, 10)).await;
        let scan = app.scan(CHANNEL, json!({})).await;
        let redis = Paused::after(pages, &app.redis);
        let first: Redis = Arc::new(redis.clone());
        let drain = drainer(&app, &first, "sample-bot-token");
        let first = tokio::spawn(async move { drain.handle(json!({}), 0).await });
        until(|| redis.stopped()).await;

        // Its lease expires, and another drainer reads the channel to the end.
        app.advance(Duration::from_secs(61));
        app.drain().await;
        let seen = async || {
            let (job, events) = (app.job(&scan).await, app.stream(&scan).await);
            (job, events["events"].clone(), app.channel(CHANNEL).await)
        };
        let before = seen().await;
        assert_eq!(before.0["state"], "completed", "{}", before.0);

        redis.pause.page.add_permits(1);
        until(|| redis.answer().is_some()).await;
        assert_eq!(redis.answer().as_deref(), Some("lost"), "page {pages}");
        assert_eq!(seen().await, before);
        redis.pause.page.add_permits(1000);
        redis.pause.rest.add_permits(1000);
        first.await.unwrap().unwrap();
        assert_eq!(seen().await, before);
        let channel = before.2;
        assert_eq!(
            (channel.message_count, channel.total_messages_scanned),
            (35, 350)
        );
        assert_eq!(
            app.clip_ids(CHANNEL).await,
            true_clip_ids(&app.discord.guild(), CHANNEL)
        );
    }
}

fn holder(job: &str, fence: u64, until: i64) -> Owner {
    Owner {
        job: job.to_owned(),
        fence,
        until,
    }
}

async fn take(store: &ScanStore, owner: &Owner, now: i64) -> Ownership {
    let (guild, channel) = (GUILD.to_string(), CHANNEL.to_string());
    let request = OwnershipRequest {
        guild_id: &guild,
        channel_id: &channel,
        owner,
        now,
        latest: now,
        token: "",
    };
    store.request_ownership(&request).await.unwrap()
}

/// Saves the record with its newest message at `newest`.
async fn save(app: &TestApp, mut record: Channel, owner: Owner, newest: u64) -> Saved {
    let store = app.store();
    record.forward_message_id = Some(MessageId(newest));
    record.revision += 1;
    record.owner = Some(owner);
    let mut pipeline = Pipeline::new();
    let (guild, channel) = (GUILD.to_string(), CHANNEL.to_string());
    let page = PageSave {
        guild_id: &guild,
        channel_id: &channel,
        record: Some(&record),
        ..PageSave::default()
    };
    let slot = store.add_page(&mut pipeline, &page);
    let mut replies = pipeline.send(&*app.redis).await.unwrap();
    replies.take(slot).unwrap().saved
}

#[tokio::test]
async fn a_new_owner_of_a_channel_shuts_the_previous_one_out_for_good() {
    // A later attempt of the same job, and another job, whose fences start again at 1.
    for (job, fence) in [("a", 8), ("b", 1)] {
        let app = TestApp::with_guild(guild_with(1, 1)).await;
        let (store, now) = (app.store(), app.clock.now_ms());
        let late = holder("a", 7, now + 60_000);
        let Ownership::Granted(record, ..) = take(&store, &late, now).await else {
            panic!("the channel is free");
        };
        assert_eq!(save(&app, *record, late.clone(), 100).await, Saved::Yes);
        let of_late = app.channel(CHANNEL).await;

        // Another job has to wait for the end of the ownership; the same job does not.
        let next = holder(job, fence, now + 120_000);
        if job == "b" {
            let busy = take(&store, &next, now + 59_999).await;
            assert!(matches!(busy, Ownership::Busy { .. }), "{busy:?}");
        }
        let Ownership::Granted(record, ..) = take(&store, &next, now + 60_000).await else {
            panic!("the lease has ended");
        };
        // While the next owner holds the channel, after it has saved, and after it has
        // released it.
        let attempt = async || save(&app, of_late.clone(), late.clone(), 999).await;
        assert_eq!(attempt().await, Saved::Superseded);
        assert_eq!(save(&app, *record, next.clone(), 200).await, Saved::Yes);
        assert_eq!(attempt().await, Saved::Superseded);
        let record = app.channel(CHANNEL).await;
        let former = holder(job, fence, 0);
        assert_eq!(save(&app, record, former, 300).await, Saved::Yes);
        assert_eq!(attempt().await, Saved::Superseded);
        let record = app.channel(CHANNEL).await;
        assert_eq!(record.forward_message_id, Some(MessageId(300)));
        if job == "a" {
            let lost = take(&store, &late, now + 200_000).await;
            assert!(matches!(lost, Ownership::Superseded), "{lost:?}");
        }
    }
}
