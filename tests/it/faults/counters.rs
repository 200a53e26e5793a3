//! A successful count is counted once; a failed one at most once.

use integration::START_MS;
use shared::clock::Clock;
use shared::counters::{Counters, Period};

use super::{Struck, at_every_request};

async fn counted(counters: &Counters, period: Period) -> u64 {
    let told = counters.last("hits", period, 1).await.unwrap();
    told[0].1
}

#[tokio::test]
async fn a_count_counts_once_in_each_period_or_in_none() {
    for known in [true, false] {
        at_every_request(async |struck| {
            let server = integration::start_endpoint().await;
            let clock = Clock::manual(START_MS);
            let redis = crate::limits::client(&server, &clock);
            let counters = Counters::new(redis, "trawl:", clock);
            if known {
                counters.add("known", 1).await.unwrap();
            }
            struck.arm(&server);
            let (mut certain, mut possible) = (0, 0);
            // Powers of two, so that the sum shows which ones were counted.
            for by in [1, 2, 4] {
                let added = counters.add("hits", by).await;
                assert!(added.is_ok() || !struck.passes(), "{added:?}");
                certain += if added.is_ok() { by } else { 0 };
                possible += by;
            }
            let read = counters.last("hits", Period::Hour, 1).await;
            assert!(read.is_ok() || !struck.passes(), "{read:?}");
            let fired = server.faults().fired();
            Struck::disarm(&server);
            let sum = counted(&counters, Period::Minute).await;
            assert!(
                sum & certain == certain && sum | possible == possible,
                "{sum}"
            );
            for period in Period::ALL {
                assert_eq!(counted(&counters, period).await, sum);
            }
            fired
        })
        .await;
    }
}
