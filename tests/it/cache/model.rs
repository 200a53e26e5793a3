//! Compares the cache with a model. Whatever happens in any order, no caller gets a value
//! older than its kind allows, or one from before an invalidation.

use std::time::Duration;

use proptest::prelude::*;
use shared::cache::{CHANNEL, Entry, GUILD};
use shared::redis::commands::strings::{SetOptions, Strings as _};

use super::{Bench, Broken};

#[derive(Clone, Debug)]
enum Step {
    /// Reads a guild or one of its channels, from one of two processes.
    Read {
        place: usize,
        process: usize,
    },
    /// Reads while the source fails.
    ReadFailing {
        place: usize,
    },
    Change {
        place: usize,
    },
    Invalidate {
        place: usize,
    },
    InvalidateGuild {
        guild: usize,
    },
    Wait {
        seconds: u64,
    },
    Spoil {
        place: usize,
    },
}

/// Two guilds, each with two channels.
const PLACES: [(usize, Option<&str>); 6] = [
    (0, None),
    (0, Some("5")),
    (0, Some("6")),
    (1, None),
    (1, Some("7")),
    (1, Some("8")),
];

fn entry(place: usize) -> Entry<u64> {
    let (guild, channel) = PLACES[place];
    match channel {
        None => Entry::new(&GUILD, &guild.to_string()),
        Some(id) => Entry::new(&CHANNEL, id).under(&guild.to_string()),
    }
}

fn key(place: usize) -> String {
    match PLACES[place] {
        (guild, None) => format!("trawl:cache:guild:{guild}"),
        (_, Some(id)) => format!("trawl:cache:channel:{id}"),
    }
}

fn step() -> impl Strategy<Value = Step> {
    let place = 0..PLACES.len();
    prop_oneof![
        6 => (place.clone(), 0..2usize).prop_map(|(place, process)| Step::Read { place, process }),
        1 => place.clone().prop_map(|place| Step::ReadFailing { place }),
        3 => place.clone().prop_map(|place| Step::Change { place }),
        1 => place.clone().prop_map(|place| Step::Invalidate { place }),
        1 => (0..2usize).prop_map(|guild| Step::InvalidateGuild { guild }),
        2 => (1..400u64).prop_map(|seconds| Step::Wait { seconds }),
        1 => place.prop_map(|place| Step::Spoil { place }),
    ]
}

/// One entry: its true value, and the values it has had since the last invalidation.
#[derive(Clone, Default)]
struct Truth {
    value: u64,
    /// Each former value and when it stopped being true, in seconds.
    ended: Vec<(u64, u64)>,
}

async fn run(steps: Vec<Step>) {
    let bench = Bench::start().await;
    let processes = [bench.other(), bench.other()];
    let mut truths = vec![Truth::default(); PLACES.len()];
    let mut now = 0;
    for step in steps {
        match step {
            Step::Read { place, process } => {
                let value = truths[place].value;
                let load = || async move { Ok::<_, Broken>(Some(value)) };
                let seen = processes[process].get_or_load(&entry(place), load).await;
                check(&truths[place], place, now, seen.unwrap().unwrap());
            }
            Step::ReadFailing { place } => {
                let load = || async { Err::<Option<u64>, _>(Broken) };
                if let Ok(seen) = processes[0].get_or_load(&entry(place), load).await {
                    check(&truths[place], place, now, seen.unwrap());
                }
            }
            Step::Change { place } => {
                let truth = &mut truths[place];
                truth.ended.push((truth.value, now));
                truth.value += 1;
            }
            Step::Invalidate { place } => {
                bench.cache.invalidate(&entry(place)).await.unwrap();
                truths[place].ended.clear();
            }
            Step::InvalidateGuild { guild } => {
                bench
                    .cache
                    .invalidate_guild(&guild.to_string())
                    .await
                    .unwrap();
                for (place, truth) in truths.iter_mut().enumerate() {
                    if PLACES[place].0 == guild {
                        truth.ended.clear();
                    }
                }
            }
            Step::Wait { seconds } => {
                now += seconds;
                bench.advance(Duration::from_secs(seconds));
            }
            Step::Spoil { place } => {
                let options = SetOptions::new();
                bench
                    .redis
                    .set(&key(place), "{spoilt", options)
                    .await
                    .unwrap();
            }
        }
    }
}

/// A value that is no longer true must have been true within its TTL, with no
/// invalidation since.
fn check(truth: &Truth, place: usize, now: u64, seen: u64) {
    if seen == truth.value {
        return;
    }
    let kind = if PLACES[place].1.is_none() {
        &GUILD
    } else {
        &CHANNEL
    };
    let allowed = (kind.ttl + kind.stale).as_secs();
    let ended = truth.ended.iter().find(|(value, _)| *value == seen);
    let (_, ended) = ended.unwrap_or_else(|| panic!("{seen} was invalidated"));
    assert!(now - ended <= allowed, "{seen} ended {} s ago", now - ended);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_given_a_value_that_is_too_old_or_was_invalidated(
        steps in proptest::collection::vec(step(), 1..60)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(steps));
    }
}
