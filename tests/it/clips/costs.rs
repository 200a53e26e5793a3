//! What a page of each kind costs, and what the index of words saves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use discord_local::guild::{AttachmentSpec, Author, ChannelSpec, IS_CLIP, MessageSpec};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use integration::TestApp;
use serde_json::json;
use shared::redis::{Error, RawCommand, Redis, RedisService, Reply, Scope};
use shared::scan::{ClipFilter, ClipOrder, ClipQuery, ScanStore};

use crate::scan::{CHANNEL, FIRST_MS, GUILD, guild_with};

/// Counts the bytes of values in replies.
#[derive(Clone)]
struct Counting {
    redis: Redis,
    bytes: Arc<AtomicUsize>,
}

impl Counting {
    fn count(&self, reply: &Result<Reply, Error>) {
        fn size(reply: &Reply) -> usize {
            match reply {
                Reply::Bytes(bytes) => bytes.len(),
                Reply::Array(parts) => parts.iter().map(size).sum(),
                _ => 0,
            }
        }
        let bytes = reply.as_ref().map_or(0, size);
        self.bytes.fetch_add(bytes, Ordering::SeqCst);
    }
}

impl RedisService for Counting {
    fn execute(&self, command: RawCommand) -> BoxFuture<'_, Result<Reply, Error>> {
        async move {
            let reply = self.redis.execute(command).await;
            self.count(&reply);
            reply
        }
        .boxed()
    }

    fn pipeline(
        &self,
        commands: Vec<RawCommand>,
    ) -> BoxFuture<'_, Result<Vec<Result<Reply, Error>>, Error>> {
        async move {
            let replies = self.redis.pipeline(commands).await?;
            replies.iter().for_each(|reply| self.count(reply));
            Ok(replies)
        }
        .boxed()
    }

    fn multi_exec(
        &self,
        commands: Vec<RawCommand>,
    ) -> BoxFuture<'_, Result<Vec<Result<Reply, Error>>, Error>> {
        self.redis.multi_exec(commands)
    }

    fn scoped(&self, scope: Scope) -> Redis {
        Arc::new(Counting {
            redis: self.redis.scoped(scope),
            bytes: self.bytes.clone(),
        })
    }

    fn sync_token(&self) -> Option<String> {
        self.redis.sync_token()
    }
}

/// 3,000 clips in five channels. One in a hundred has a rare word and a rare author.
async fn system() -> TestApp {
    let mut guild = guild_with(0, 1);
    for channel in 1..5 {
        guild.add_channel(ChannelSpec::text(CHANNEL + channel, "more"));
    }
    for i in 0..3_000 {
        let is_rare = i % 100 == 50;
        let text = if is_rare {
            "a rare moment"
        } else {
            "a usual moment"
        };
        let author = Author::new(1_100_000_000_000_000_010 + u64::from(is_rare), "someone");
        let video = AttachmentSpec::video(&format!("clip_{i}.mp4"));
        let video = video.flags(if is_rare { IS_CLIP } else { 0 });
        let video = video.declared_secs(Some(5.0 + f64::from(i % 60)));
        let at = FIRST_MS + i64::from(i) * 1000;
        let message = MessageSpec::text(text)
            .at_ms(at)
            .author(author)
            .attachment(video);
        guild.add_message(CHANNEL + i as u64 % 5, message);
    }
    let app = TestApp::with_guild(guild).await;
    app.leaves_any_jobs();
    for channel in 0..5 {
        app.scan(CHANNEL + channel, json!({})).await;
    }
    app.drain().await;
    app
}

#[tokio::test]
async fn a_page_of_each_kind_costs_what_the_golden_file_says() {
    let app = system().await;
    let counting = Counting {
        redis: app.redis.clone(),
        bytes: Arc::default(),
    };
    let redis: Redis = Arc::new(counting.clone());
    let store = ScanStore::new(redis, &app.key_prefix);
    let mut rows = Vec::new();
    let mut row = async |name: &str, filter: ClipFilter, limit: u64, all: bool| {
        app.endpoint.reset_meter();
        counting.bytes.store(0, Ordering::SeqCst);
        let (mut found, mut cursor) = (0, None);
        loop {
            let query = ClipQuery {
                filter: filter.clone(),
                cursor,
                limit,
            };
            let (clips, next) = store.list_clips(&GUILD.to_string(), &query).await.unwrap();
            found += clips.len();
            cursor = next;
            if cursor.is_none() || !all {
                break;
            }
        }
        let (billed, trips) = app.cost();
        let kb = counting.bytes.load(Ordering::SeqCst).div_ceil(1024);
        rows.push(format!(
            "{name}: {found} clips, {billed} billed, {trips} round trips, {kb} KB read"
        ));
        found
    };
    let channels = |n: u64| {
        (0..n)
            .map(|i| (CHANNEL + i).to_string())
            .collect::<Vec<_>>()
    };
    let of = |filter: ClipFilter| filter;
    let rare = || Some("rare".to_owned());
    let none = ClipFilter::default;
    for (name, filter) in [
        ("newest", none()),
        (
            "oldest",
            of(ClipFilter {
                sort: ClipOrder::Oldest,
                ..none()
            }),
        ),
        (
            "longest",
            of(ClipFilter {
                sort: ClipOrder::Longest,
                ..none()
            }),
        ),
        (
            "of one channel",
            of(ClipFilter {
                channel_ids: channels(1),
                ..none()
            }),
        ),
        (
            "of three channels",
            of(ClipFilter {
                channel_ids: channels(3),
                ..none()
            }),
        ),
        (
            "of four channels",
            of(ClipFilter {
                channel_ids: channels(4),
                ..none()
            }),
        ),
        (
            "of an author",
            of(ClipFilter {
                author_id: Some("1100000000000000011".to_owned()),
                ..none()
            }),
        ),
        (
            "recorded with Discord",
            of(ClipFilter {
                is_clip: Some(true),
                ..none()
            }),
        ),
        (
            "of a length",
            of(ClipFilter {
                min_seconds: Some(40.0),
                ..none()
            }),
        ),
        (
            "with a word",
            of(ClipFilter {
                text: rare(),
                ..none()
            }),
        ),
        (
            "with two words",
            of(ClipFilter {
                text: Some("rare moment".to_owned()),
                ..none()
            }),
        ),
        (
            "with a word, in a channel, of a length",
            of(ClipFilter {
                text: rare(),
                channel_ids: channels(1),
                min_seconds: Some(20.0),
                ..none()
            }),
        ),
        (
            "with a word, longest",
            of(ClipFilter {
                text: rare(),
                sort: ClipOrder::Longest,
                ..none()
            }),
        ),
    ] {
        row(&format!("a page of 50, {name}"), filter, 50, false).await;
    }
    let by_index = of(ClipFilter {
        text: rare(),
        ..none()
    });
    let found = row(
        "all 30 clips with a word, by the index of words",
        by_index,
        50,
        true,
    )
    .await;
    assert_eq!(found, 30);
    let by_walk = of(ClipFilter {
        text: rare(),
        sort: ClipOrder::Longest,
        ..none()
    });
    let name = "all 30 clips with a word, by a walk over 3,000 clips";
    assert_eq!(row(name, by_walk, 50, true).await, 30);
    crate::golden("find-costs", &rows);
}
