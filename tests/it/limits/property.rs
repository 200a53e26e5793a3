//! No limiter admits more than its rule allows, whatever happens to its requests, and
//! none is stricter than its rule.

use std::time::Duration;

use proptest::prelude::{Strategy, any};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use shared::clock::Clock;
use shared::rate_limiter::{Algorithm, RateLimiter, Rule, Verdict};
use upstash_local::{Fault, FaultAction};

use super::{Bench, client};

const FAULTS: [FaultAction; 6] = [
    FaultAction::DropBefore,
    FaultAction::DropAfterCommit,
    FaultAction::Status(500),
    FaultAction::StatusAfterCommit(500),
    FaultAction::TruncateBody,
    FaultAction::Duplicate,
];

/// Simultaneous calls, and a fault that hits one of their requests.
#[derive(Clone, Debug)]
struct Step {
    pause_ms: u64,
    weights: Vec<u32>,
    fault: Option<usize>,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let weights = proptest::collection::vec(1u32..3, 1..5);
    let fault = proptest::option::weighted(0.4, 0..FAULTS.len());
    let step = (0u64..900, weights, fault).prop_map(|(pause_ms, weights, fault)| Step {
        pause_ms,
        weights,
        fault,
    });
    proptest::collection::vec(step, 1..24)
}

/// A call: its time, its weight and its result.
struct Call {
    at_ms: i64,
    weight: u32,
    verdict: Verdict,
}

/// Two processes, the second with a clock that is behind by `lag`, and one caller.
struct World {
    bench: Bench,
    behind: Clock,
    limiters: [RateLimiter; 2],
    redis: [shared::redis::Redis; 2],
    lag: Duration,
    n_callers: u32,
}

impl World {
    async fn start(lag: Duration) -> World {
        let bench = Bench::start().await;
        let behind = Clock::manual(bench.clock.now_ms() - lag.as_millis() as i64);
        World {
            redis: [
                client(&bench.server, &bench.clock),
                client(&bench.server, &behind),
            ],
            limiters: [bench.other(), RateLimiter::new("trawl:", behind.clone())],
            bench,
            behind,
            lag,
            n_callers: 0,
        }
    }

    async fn run(&mut self, rule: &Rule, steps: &[Step]) -> Vec<Call> {
        self.n_callers += 1;
        let caller = self.n_callers.to_string();
        let mut calls = Vec::new();
        for step in steps {
            let pause = Duration::from_millis(step.pause_ms);
            self.bench.advance(pause);
            self.behind.advance(pause);
            if let Some(fault) = step.fault {
                self.bench.server.faults().add(Fault::new(FAULTS[fault]));
            }
            let asked = step.weights.iter().enumerate().map(|(n, weight)| {
                let (limiter, redis) = (&self.limiters[n % 2], &self.redis[n % 2]);
                let check = limiter.call(rule, &caller, *weight);
                async move { (*weight, limiter.check(redis, &check).await) }
            });
            for (weight, verdict) in futures_util::future::join_all(asked).await {
                let at_ms = self.bench.clock.now_ms();
                calls.push(Call {
                    at_ms,
                    weight,
                    verdict,
                });
            }
            self.bench.server.faults().clear();
        }
        calls
    }
}

fn check(
    cases: u32,
    lag: Duration,
    algorithm: fn(u32) -> Algorithm,
    judge: fn(&Rule, Duration, &[Call]),
) {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let world = std::cell::RefCell::new(runtime.block_on(World::start(lag)));
    let input = (1u32..8, 700u64..4000, steps(), any::<u32>());
    let run = |(limit, window_ms, steps, salt): (u32, u64, Vec<Step>, u32)| {
        let rule =
            Rule::new("test", limit, Duration::from_millis(window_ms)).by(algorithm(1 + salt % 5));
        let mut world = world.borrow_mut();
        let calls = runtime.block_on(world.run(&rule, &steps));
        // A failed check panics, so that the runner shrinks the case.
        judge(&rule, world.lag, &calls);
        Ok::<(), TestCaseError>(())
    };
    TestRunner::new(config).run(&input, run).unwrap();
}

/// The weight admitted in `(from, to]`.
fn admitted(calls: &[Call], from: i64, to: i64) -> u32 {
    let within = |call: &&Call| call.verdict.admitted && call.at_ms > from && call.at_ms <= to;
    calls.iter().filter(within).map(|call| call.weight).sum()
}

/// No interval as long as the window admits more than the limit.
fn never_more_than_the_limit(rule: &Rule, lag: Duration, calls: &[Call]) {
    let window_ms = rule.window.saturating_sub(lag).as_millis() as i64;
    for call in calls {
        let sum = admitted(calls, call.at_ms - window_ms, call.at_ms);
        assert!(sum <= rule.limit, "{sum} within {window_ms} ms of {rule:?}");
    }
}

/// Every refused call would have exceeded the limit, counted from `slack` earlier.
fn refused_only_for_lack_of_room(rule: &Rule, slack_ms: i64, calls: &[Call]) {
    let window_ms = rule.window.as_millis() as i64;
    for call in calls.iter().filter(|call| !call.verdict.admitted) {
        let sum = admitted(calls, call.at_ms - window_ms - slack_ms, call.at_ms);
        assert!(
            sum + call.weight > rule.limit,
            "{rule:?}: {:?}",
            call.verdict
        );
    }
}

#[test]
fn a_sliding_window_holds_in_any_stretch_and_gives_room_a_thirtieth_late() {
    check(
        24,
        Duration::ZERO,
        |_| Algorithm::SlidingWindow,
        |rule, lag, calls| {
            never_more_than_the_limit(rule, lag, calls);
            let slot_ms = rule.window.as_millis().div_ceil(30) as i64;
            refused_only_for_lack_of_room(rule, slot_ms, calls);
        },
    );
}

#[test]
fn a_sliding_log_is_exact() {
    check(
        24,
        Duration::ZERO,
        |_| Algorithm::SlidingLog,
        |rule, lag, calls| {
            never_more_than_the_limit(rule, lag, calls);
            refused_only_for_lack_of_room(rule, 0, calls);
        },
    );
}

#[test]
fn clocks_that_differ_make_a_window_shorter_by_no_more_than_that() {
    let lag = Duration::from_millis(600);
    for algorithm in [Algorithm::SlidingWindow, Algorithm::SlidingLog] {
        let algorithm = match algorithm {
            Algorithm::SlidingLog => |_| Algorithm::SlidingLog,
            _ => |_| Algorithm::SlidingWindow,
        };
        check(12, lag, algorithm, never_more_than_the_limit);
    }
}

#[test]
fn a_token_bucket_admits_its_burst_and_what_came_in_since() {
    check(
        24,
        Duration::ZERO,
        |burst| Algorithm::TokenBucket { burst },
        |rule, _, calls| {
            let Algorithm::TokenBucket { burst } = rule.algorithm else {
                panic!("{rule:?}");
            };
            let token_ms = rule.window.as_secs_f64() * 1000.0 / f64::from(rule.limit);
            for first in calls {
                for last in calls.iter().filter(|last| last.at_ms >= first.at_ms) {
                    let sum = f64::from(admitted(calls, first.at_ms - 1, last.at_ms));
                    let came_in = (last.at_ms - first.at_ms) as f64 / token_ms;
                    assert!(sum <= f64::from(burst) + came_in + 1e-6, "{rule:?}");
                }
            }
            refused_only_without_tokens(burst, token_ms, calls);
        },
    );
}

/// Compares with a token bucket that is refilled continuously. Simultaneous calls may
/// have arrived in any order, so a refused call is compared with what all of them left.
fn refused_only_without_tokens(burst: u32, token_ms: f64, calls: &[Call]) {
    let (mut tokens, mut at_ms) = (f64::from(burst), 0);
    for together in calls.chunk_by(|a, b| a.at_ms == b.at_ms) {
        let passed = (together[0].at_ms - at_ms) as f64;
        at_ms = together[0].at_ms;
        tokens = (tokens + passed / token_ms).min(f64::from(burst));
        let taken = together.iter().filter(|call| call.verdict.admitted);
        tokens -= taken.map(|call| f64::from(call.weight)).sum::<f64>();
        for call in together.iter().filter(|call| !call.verdict.admitted) {
            assert!(
                f64::from(call.weight) > tokens - 1e-3,
                "{tokens} tokens left"
            );
        }
    }
}

#[test]
fn a_fixed_window_holds_in_each_window_of_the_clock() {
    check(
        16,
        Duration::ZERO,
        |_| Algorithm::FixedWindow,
        |rule, _, calls| {
            let window_ms = rule.window.as_millis() as i64;
            for call in calls {
                let start = call.at_ms.div_euclid(window_ms) * window_ms;
                let told = calls.iter().filter(|other| {
                    let is_told = other.verdict.reason == shared::rate_limiter::Reason::Counted;
                    is_told && (start..start + window_ms).contains(&other.at_ms)
                });
                let sum: u32 = told.map(|call| call.weight).sum();
                assert!(sum <= rule.limit, "{rule:?}");
            }
        },
    );
}
