//! Which caller loads a value, and what the others get.

use std::time::Duration;

use shared::cache::{CHANNEL, Entry, GUILD, SETTINGS};
use shared::redis::commands::strings::{SetOptions, Strings as _};

use super::{Bench, Broken, Source, guild};

const KEY: &str = "trawl:cache:guild:1";

#[tokio::test]
async fn a_value_is_loaded_once_and_again_after_its_time() {
    let bench = Bench::start().await;
    let source = Source::default();
    let name = async || bench.cache.get_or_load(&guild("1"), || source.load()).await;
    for _ in 0..3 {
        assert_eq!(name().await, Ok(Some("0".to_owned())));
    }
    bench.advance(Duration::from_secs(299));
    assert_eq!(name().await, Ok(Some("0".to_owned())));
    bench.advance(Duration::from_secs(1));
    assert_eq!(name().await, Ok(Some("1".to_owned())));
    let counts = bench.cache.counts();
    assert_fields!(counts, { misses: 1, hits: 3, loads: 2, refreshes: 1 });
    assert_eq!(counts.stale, 1);
}

#[tokio::test]
async fn each_kind_is_fresh_for_its_own_time() {
    for (kind, seconds) in [(&GUILD, 300), (&CHANNEL, 600), (&SETTINGS, 60)] {
        let bench = Bench::start().await;
        let source = Source::default();
        let entry: Entry<String> = Entry::new(kind, "1");
        let mut times = Vec::new();
        for _ in 0..2 {
            let loaded = bench.cache.get_or_load(&entry, || source.load()).await;
            times.push(loaded.unwrap());
            bench.advance(Duration::from_secs(seconds));
        }
        assert_eq!(source.asked(), 2, "{}", kind.name);
    }
}

#[tokio::test]
async fn one_process_loads_what_is_missing_and_the_others_wait_for_it() {
    let bench = Bench::start().await;
    let source = Source::default();
    let callers = (0..12).map(|_| {
        let (cache, source) = (bench.other(), source.clone());
        async move {
            let loaded = cache.get_or_load(&guild("1"), || source.load()).await;
            (loaded, cache.counts())
        }
    });
    let answers = futures_util::future::join_all(callers).await;
    assert_eq!(source.asked(), 1);
    assert!(
        answers
            .iter()
            .all(|(name, _)| *name == Ok(Some("0".to_owned())))
    );
    let waits: u64 = answers
        .iter()
        .map(|(_, counts)| counts.waits + counts.hits)
        .sum();
    assert_eq!(waits, 11);
}

#[tokio::test]
async fn one_process_refreshes_a_stale_value_and_the_others_get_it_at_once() {
    let bench = Bench::start().await;
    let source = Source::default();
    bench
        .cache
        .get_or_load(&guild("1"), || source.load())
        .await
        .unwrap();
    bench.advance(Duration::from_secs(301));
    let (release, held) = tokio::sync::oneshot::channel::<()>();
    let slow = tokio::spawn({
        let (cache, source) = (bench.other(), source.clone());
        async move {
            let load = || async {
                let loaded = source.load().await;
                let _ = held.await;
                loaded
            };
            cache.get_or_load(&guild("1"), load).await
        }
    });
    while source.asked() < 2 {
        tokio::task::yield_now().await;
    }
    for _ in 0..5 {
        let name = bench
            .other()
            .get_or_load(&guild("1"), || source.load())
            .await;
        assert_eq!(name, Ok(Some("0".to_owned())));
    }
    release.send(()).unwrap();
    assert_eq!(slow.await.unwrap(), Ok(Some("1".to_owned())));
    let name = bench.cache.get_or_load(&guild("1"), || source.load()).await;
    assert_eq!((name, source.asked()), (Ok(Some("1".to_owned())), 2));
}

#[tokio::test]
async fn another_process_loads_when_the_claim_of_a_dead_loader_expires() {
    let bench = Bench::start().await;
    let dead = tokio::spawn({
        let cache = bench.other();
        async move {
            let never = std::future::pending::<Result<Option<String>, Broken>>;
            cache.get_or_load(&guild("1"), never).await
        }
    });
    while bench.redis.get(KEY).await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    dead.abort();
    let source = Source::default();
    bench.advance(Duration::from_secs(15));
    let name = bench.cache.get_or_load(&guild("1"), || source.load()).await;
    assert_eq!((name, source.asked()), (Ok(Some("0".to_owned())), 1));
    let again = bench.cache.get_or_load(&guild("1"), || source.load()).await;
    assert_eq!((again, source.asked()), (Ok(Some("0".to_owned())), 1));
}

#[tokio::test]
async fn a_caller_that_has_waited_long_enough_loads_the_value_itself() {
    let bench = Bench::start().await;
    // A claim of a process that is too slow.
    let until = bench.clock.now_ms() + 15_000;
    let claim = format!(r#"{{"d":0,"c":{{"t":"x","u":{until}}}}}"#);
    bench
        .redis
        .set(KEY, &claim, SetOptions::new())
        .await
        .unwrap();
    let source = Source::default();
    let waiting = tokio::spawn({
        let (cache, source) = (bench.other(), source.clone());
        async move { cache.get_or_load(&guild("1"), || source.load()).await }
    });
    bench.server.reset_meter();
    while bench.server.meter().total < 3 {
        tokio::task::yield_now().await;
    }
    assert_eq!(source.asked(), 0);
    bench.clock.advance(Duration::from_secs(5));
    assert_eq!(waiting.await.unwrap(), Ok(Some("0".to_owned())));
    // Its value may be older than that of the later claim, so it is not stored.
    assert_eq!(bench.redis.get(KEY).await.unwrap(), Some(claim));
}

#[tokio::test]
async fn a_missing_value_is_remembered_for_a_minute() {
    let bench = Bench::start().await;
    let source = Source::default();
    let none = async || {
        source.load().await.unwrap();
        Ok::<Option<String>, Broken>(None)
    };
    for _ in 0..3 {
        assert_eq!(bench.cache.get_or_load(&guild("1"), none).await, Ok(None));
    }
    assert_eq!(source.asked(), 1);
    assert_eq!(bench.cache.get(&guild("1")).await.unwrap(), Some(None));
    bench.advance(Duration::from_secs(60));
    assert_eq!(bench.cache.get(&guild("1")).await.unwrap(), None);
    bench.cache.get_or_load(&guild("1"), none).await.unwrap();
    assert_eq!(source.asked(), 2);
}

#[tokio::test]
async fn a_value_that_cannot_be_reloaded_is_served_stale_without_retrying_each_time() {
    let bench = Bench::start().await;
    let source = Source::default();
    bench
        .cache
        .get_or_load(&guild("1"), || source.load())
        .await
        .unwrap();
    bench.advance(Duration::from_secs(301));
    for _ in 0..5 {
        let name = bench.cache.get_or_load(&guild("1"), || source.fail()).await;
        assert_eq!(name, Ok(Some("0".to_owned())));
    }
    assert_eq!(source.asked(), 2);
    bench.advance(Duration::from_secs(16));
    let name = bench.cache.get_or_load(&guild("1"), || source.load()).await;
    assert_eq!((name, source.asked()), (Ok(Some("2".to_owned())), 3));
}

#[tokio::test]
async fn a_failed_load_is_returned_to_its_caller_and_the_next_caller_retries_at_once() {
    let bench = Bench::start().await;
    let source = Source::default();
    let failed = bench.cache.get_or_load(&guild("1"), || source.fail()).await;
    assert_eq!(failed, Err(Broken));
    assert_eq!(bench.redis.get(KEY).await.unwrap(), None);
    let name = bench.cache.get_or_load(&guild("1"), || source.load()).await;
    assert_eq!(name, Ok(Some("1".to_owned())));
    assert_eq!(bench.cache.counts().failed_loads, 1);
}

#[tokio::test]
async fn what_no_longer_parses_is_a_miss_that_is_counted_and_replaced() {
    for stored in ["", "nonsense", r#"{"f":9999999999999,"v":{"name":1}}"#] {
        let bench = Bench::start().await;
        bench
            .redis
            .set(KEY, stored, SetOptions::new())
            .await
            .unwrap();
        let source = Source::default();
        let name = bench.cache.get_or_load(&guild("1"), || source.load()).await;
        assert_eq!(name, Ok(Some("0".to_owned())), "{stored}");
        let name = bench.cache.get_or_load(&guild("1"), || source.load()).await;
        assert_eq!((name, source.asked()), (Ok(Some("0".to_owned())), 1));
        let counts = bench.cache.counts();
        assert_fields!(counts, { unreadable: 1, misses: 1, hits: 1 });
    }
}

#[tokio::test]
async fn a_value_invalidated_while_it_was_loaded_is_not_stored() {
    let bench = Bench::start().await;
    let source = Source::default();
    let load = async || {
        let old = source.load().await;
        bench.other().invalidate(&guild("1")).await.unwrap();
        old
    };
    bench.cache.get_or_load(&guild("1"), load).await.unwrap();
    assert_eq!(bench.cache.counts().outdated, 1);
    let name = bench.cache.get_or_load(&guild("1"), || source.load()).await;
    assert_eq!(name, Ok(Some("1".to_owned())));
}

#[tokio::test]
async fn invalidating_a_guild_also_removes_its_settings_and_channels_even_while_they_load() {
    let bench = Bench::start().await;
    let source = Source::default();
    let settings: Entry<String> = Entry::new(&SETTINGS, "1");
    let channel = |id: &str, guild: &str| Entry::<String>::new(&CHANNEL, id).under(guild);
    let get = async |entry: &Entry<String>| bench.cache.get_or_load(entry, || source.load()).await;
    for entry in [
        &guild("1"),
        &settings,
        &channel("7", "1"),
        &channel("8", "2"),
    ] {
        get(entry).await.unwrap();
    }
    let loading = async || {
        let old = source.load().await;
        bench.other().invalidate_guild("1").await.unwrap();
        old
    };
    bench
        .cache
        .get_or_load(&channel("9", "1"), loading)
        .await
        .unwrap();
    let before = source.asked();
    get(&channel("8", "2")).await.unwrap();
    assert_eq!(source.asked(), before, "another guild's");
    for (n, entry) in [guild("1"), settings, channel("7", "1"), channel("9", "1")]
        .iter()
        .enumerate()
    {
        get(entry).await.unwrap();
        assert_eq!(source.asked(), before + n as u64 + 1, "{n}");
        get(entry).await.unwrap();
        assert_eq!(source.asked(), before + n as u64 + 1, "{n}");
    }
}

#[tokio::test]
async fn values_are_removed_by_pattern_in_batches_and_nothing_else_is() {
    let bench = Bench::start().await;
    for n in 0..1200 {
        let key = format!("trawl:cache:channel:{n}");
        bench.redis.set(&key, "x", SetOptions::new()).await.unwrap();
    }
    for key in [
        "trawl:cache:guild:1",
        "trawl:guild:settings:1",
        "other:cache:channel:1",
    ] {
        bench.redis.set(key, "x", SetOptions::new()).await.unwrap();
    }
    assert_eq!(
        bench.cache.invalidate_matching("channel:*").await.unwrap(),
        1200
    );
    let left = shared::redis::commands::Server::dbsize(&*bench.redis);
    assert_eq!(left.await.unwrap(), 3);
}
