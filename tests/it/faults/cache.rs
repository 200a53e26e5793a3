//! Callers get the value, and never one from before a successful invalidation.

use std::time::Duration;

use shared::cache::{CHANNEL, Cache, Entry};

use super::{Struck, at_every_request};
use crate::cache::{Bench, Broken, guild};

/// What a reader gets while the source returns `now`.
async fn read(bench: &Bench, cache: &Cache, entry: &Entry<String>, now: &str) -> String {
    let load = || async { Ok::<_, Broken>(Some(now.to_owned())) };
    let found = tokio::select! {
        biased;
        found = cache.get_or_load(entry, load) => found,
        never = pass_time(bench) => never,
    };
    found.unwrap().expect("there is a value")
}

/// A caller that polls is waiting for another one to load, so time has to pass.
async fn pass_time<T>(bench: &Bench) -> T {
    let looks = || bench.server.meter().commands.get("mget").copied();
    let mut seen = looks();
    loop {
        tokio::task::yield_now().await;
        if looks().unwrap_or(0) > seen.unwrap_or(0) + 5 {
            bench.advance(Duration::from_secs(5));
            seen = looks();
        }
    }
}

fn channel() -> Entry<String> {
    Entry::new(&CHANNEL, "5").under("1")
}

#[tokio::test]
async fn a_value_is_given_whatever_happens_and_no_older_than_its_kind_allows() {
    for entry in [guild("1"), channel()] {
        at_every_request(async |struck| {
            let bench = Bench::start().await;
            let cache = &bench.cache;
            struck.arm(&bench.server);
            assert_eq!(read(&bench, cache, &entry, "a").await, "a");
            assert!(["a", "b"].contains(&read(&bench, cache, &entry, "b").await.as_str()));
            // First stale, then expired.
            bench.advance(Duration::from_secs(700));
            read(&bench, cache, &entry, "b").await;
            bench.advance(Duration::from_secs(1000));
            let later = read(&bench, cache, &entry, "c").await;
            assert_eq!(later, "c");
            let fired = bench.server.faults().fired();
            Struck::disarm(&bench.server);
            fired
        })
        .await;
    }
}

#[tokio::test]
async fn what_was_invalidated_is_not_given_again() {
    for (entry, whole) in [(guild("1"), false), (guild("1"), true), (channel(), true)] {
        at_every_request(async |struck| {
            let bench = Bench::start().await;
            let (ours, theirs) = (&bench.cache, bench.other());
            read(&bench, &theirs, &entry, "old").await;
            struck.arm(&bench.server);
            read(&bench, ours, &entry, "old").await;
            let gone = match whole {
                true => ours.invalidate_guild("1").await,
                false => ours.invalidate(&entry).await,
            };
            assert!(gone.is_ok() || !struck.passes(), "{gone:?}");
            let mut seen = Vec::new();
            for cache in [ours, &theirs] {
                seen.push(read(&bench, cache, &entry, "new").await);
            }
            let fired = bench.server.faults().fired();
            Struck::disarm(&bench.server);
            seen.push(read(&bench, &theirs, &entry, "new").await);
            if gone.is_ok() {
                assert_eq!(seen, ["new"; 3]);
            }
            fired
        })
        .await;
    }
}

#[tokio::test]
async fn what_is_stored_together_is_read_together_or_known_to_be_missing() {
    at_every_request(async |struck| {
        let bench = Bench::start().await;
        let entries = || vec![guild("1"), guild("2"), guild("3")];
        let value = |n: usize| Some(n.to_string());
        bench
            .cache
            .set(&guild("1"), value(0).as_ref())
            .await
            .unwrap();
        struck.arm(&bench.server);
        let mut stored = false;
        if let Ok(batch) = bench.cache.get_many(entries()).await {
            assert_eq!(batch.missing(), [1, 2]);
            let values = [(1, value(1)), (2, value(2))];
            stored = bench.cache.set_many(&batch, &values).await.is_ok();
        }
        assert!(stored || !struck.passes());
        let set = bench.cache.set(&guild("4"), value(4).as_ref()).await;
        let fired = bench.server.faults().fired();
        Struck::disarm(&bench.server);
        let batch = bench.cache.get_many(entries()).await.unwrap();
        for place in 0..3 {
            let found = batch.value(place).map(|value| value.cloned());
            let is_right = found == Some(value(place));
            assert!(
                is_right || (!stored && found.is_none()),
                "{place} {found:?}"
            );
        }
        let fourth = bench.cache.get(&guild("4")).await.unwrap();
        assert!(fourth == Some(value(4)) || (set.is_err() && fourth.is_none()));
        fired
    })
    .await;
}

#[tokio::test]
async fn a_kind_that_was_invalidated_by_its_pattern_is_gone_and_no_other_is() {
    at_every_request(async |struck| {
        let bench = Bench::start().await;
        let value = "old".to_owned();
        for id in ["1", "2", "3"] {
            bench.cache.set(&guild(id), Some(&value)).await.unwrap();
        }
        bench.cache.set(&channel(), Some(&value)).await.unwrap();
        struck.arm(&bench.server);
        let removed = bench.cache.invalidate_matching("guild:*").await;
        assert!(removed.is_ok() || !struck.passes(), "{removed:?}");
        let fired = bench.server.faults().fired();
        Struck::disarm(&bench.server);
        for id in ["1", "2", "3"] {
            let found = bench.cache.get(&guild(id)).await.unwrap();
            assert!(found.is_none() || removed.is_err(), "{id}");
        }
        let other = bench.cache.get(&channel()).await.unwrap();
        assert_eq!(other, Some(Some(value)));
        fired
    })
    .await;
}
