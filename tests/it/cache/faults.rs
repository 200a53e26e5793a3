//! The cache while Redis is unavailable, slow or silent.

use shared::redis::commands::strings::Strings as _;
use upstash_local::{Fault, FaultAction};

use super::{Bench, Source, guild};

#[tokio::test]
async fn while_redis_is_unavailable_the_value_is_loaded_and_the_failure_counted() {
    let bench = Bench::start().await;
    let source = Source::default();
    bench.server.faults().add(Fault {
        times: 99,
        ..Fault::new(FaultAction::Status(503))
    });
    for n in 0..3 {
        let name = bench.cache.get_or_load(&guild("1"), || source.load()).await;
        assert_eq!(name, Ok(Some(n.to_string())));
    }
    let counts = bench.cache.counts();
    assert_fields!(counts, { failures: 3, loads: 3, misses: 0 });
    assert!(bench.cache.get(&guild("1")).await.is_err());
}

#[tokio::test]
async fn every_fault_at_every_request_of_a_miss_leaves_the_caller_with_the_value() {
    let actions = [
        FaultAction::DropBefore,
        FaultAction::DropAfterCommit,
        FaultAction::Duplicate,
        FaultAction::Status(500),
        FaultAction::StatusAfterCommit(503),
        FaultAction::QuotaExceeded,
        FaultAction::TruncateBody,
        FaultAction::NotJson(502),
    ];
    for action in actions {
        for skip in 0..3 {
            let bench = Bench::start().await;
            let source = Source::default();
            bench.server.faults().add(Fault {
                skip,
                ..Fault::new(action)
            });
            let name = bench.cache.get_or_load(&guild("1"), || source.load()).await;
            assert_eq!(name, Ok(Some("0".to_owned())), "{action:?} {skip}");
            bench.server.faults().clear();
            // A claim whose reply was lost expires on its own.
            bench.advance(std::time::Duration::from_secs(16));
            let name = bench.cache.get_or_load(&guild("1"), || source.load()).await;
            assert!(name.is_ok() && source.asked() <= 2, "{action:?} {skip}");
            let kept = bench.redis.get("trawl:cache:guild:1").await.unwrap();
            assert!(
                kept.is_some_and(|text| text.contains("\"v\"")),
                "{action:?} {skip}"
            );
        }
    }
}
