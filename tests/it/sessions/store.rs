//! The session store on its own.

use std::collections::BTreeMap;
use std::time::Duration;

use integration::{START_MS, start_endpoint};
use proptest::prelude::*;
use shared::clock::Clock;
use shared::redis::Redis;
use shared::redis::commands::Keys as _;
use shared::session::{Error, LARGEST, SessionKind, Sessions, Token};
use upstash_local::{Fault, FaultAction};

use crate::redis::client;

static KIND: SessionKind = SessionKind {
    name: "test",
    idle: Duration::from_secs(100),
    lifetime: Duration::from_secs(1000),
    most: 3,
};

struct Bench {
    server: upstash_local::Server,
    clock: Clock,
    redis: Redis,
    sessions: Sessions,
}

impl Bench {
    async fn start() -> Bench {
        let server = start_endpoint().await;
        let clock = Clock::manual(START_MS);
        let redis = client(&server);
        let sessions = Sessions::new(redis.clone(), "trawl:", clock.clone());
        Bench {
            server,
            clock,
            redis,
            sessions,
        }
    }

    fn advance(&self, by: Duration) {
        self.server.clock().advance(by);
        self.clock.advance(by);
    }

    async fn begin(&self, user: &str) -> Token {
        self.sessions
            .create(&KIND, user, user.to_owned())
            .await
            .unwrap()
            .0
    }

    async fn goes_on(&self, token: &Token) -> bool {
        let session = self.sessions.touch::<String>(&KIND, token).await.unwrap();
        session.is_some()
    }
}

#[tokio::test]
async fn a_session_holds_so_much_and_no_more() {
    let bench = Bench::start().await;
    let large = bench.sessions.create(&KIND, "u", "x".repeat(LARGEST)).await;
    assert!(matches!(large, Err(Error::TooLarge)));
    assert_eq!(bench.server.meter().total, 0);
}

#[tokio::test]
async fn the_oldest_sessions_of_a_user_make_room() {
    let bench = Bench::start().await;
    let mut tokens = Vec::new();
    for _ in 0..5 {
        tokens.push(bench.begin("u").await);
        bench.advance(Duration::from_millis(1));
    }
    let other = bench.begin("v").await;
    let mut alive = Vec::new();
    for token in &tokens {
        alive.push(bench.goes_on(token).await);
    }
    assert_eq!(alive, [false, false, true, true, true]);
    assert!(bench.goes_on(&other).await);
    assert_eq!(bench.sessions.revoke_all("u").await.unwrap(), 3);
    assert!(!bench.goes_on(&tokens[4]).await && bench.goes_on(&other).await);
}

#[tokio::test]
async fn sessions_leave_no_key_behind() {
    let bench = Bench::start().await;
    for _ in 0..4 {
        bench.begin("u").await;
    }
    bench.advance(KIND.lifetime);
    let (_, keys) = bench.redis.scan("0", "*", 100).await.unwrap();
    assert_eq!(keys, Vec::<String>::new());
}

#[tokio::test]
async fn a_session_that_cannot_be_read_is_none() {
    let bench = Bench::start().await;
    let token = bench.begin("u").await;
    let (_, keys) = bench
        .redis
        .scan("0", "trawl:session:test:*", 100)
        .await
        .unwrap();
    let set = shared::redis::commands::Strings::set(
        &*bench.redis,
        &keys[0],
        "{nonsense",
        shared::redis::commands::strings::SetOptions::new(),
    );
    set.await.unwrap();
    assert!(!bench.goes_on(&token).await);
}

#[tokio::test]
async fn a_lost_reply_leaves_one_session_and_respects_the_limit() {
    for action in [
        FaultAction::DropAfterCommit,
        FaultAction::Duplicate,
        FaultAction::Status(500),
    ] {
        for skip in 0..2 {
            let bench = Bench::start().await;
            for _ in 0..3 {
                bench.begin("u").await;
            }
            bench.server.faults().add(Fault {
                skip,
                ..Fault::new(action)
            });
            let token = bench.begin("u").await;
            assert!(bench.goes_on(&token).await, "{action:?} {skip}");
            let (_, keys) = bench
                .redis
                .scan("0", "trawl:session:test:*", 100)
                .await
                .unwrap();
            assert_eq!(keys.len(), 3, "{action:?} {skip}");
        }
    }
}

#[tokio::test]
async fn sessions_cost_what_the_golden_file_says() {
    let bench = Bench::start().await;
    let mut rows = Vec::new();
    let mut row = |name: &str| {
        let meter = bench.server.meter();
        let trips: u64 = meter.requests.values().sum();
        rows.push(format!(
            "{name}: {} billed, {trips} round trips",
            meter.total
        ));
        bench.server.reset_meter();
    };
    // The script is cached.
    bench.begin("other").await;
    bench.server.reset_meter();
    let token = bench.begin("u").await;
    row("begin");
    bench.goes_on(&token).await;
    row("read and keep alive");
    bench.sessions.revoke(&KIND, &token, "u").await.unwrap();
    row("end");
    for _ in 0..3 {
        bench.begin("u").await;
    }
    bench.server.reset_meter();
    bench.begin("u").await;
    row("begin one that another makes room for");
    bench.sessions.revoke_all("u").await.unwrap();
    row("end all of a user");
    crate::golden("session-costs", &rows);
}

#[derive(Clone, Debug)]
enum Step {
    Begin(usize),
    Touch(usize),
    Revoke(usize),
    RevokeAll(usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..2usize).prop_map(Step::Begin),
        4 => (0..20usize).prop_map(Step::Touch),
        1 => (0..20usize).prop_map(Step::Revoke),
        1 => (0..2usize).prop_map(Step::RevokeAll),
        2 => (1..120u64).prop_map(Step::Wait),
    ]
}

/// A session in the model: its user, when it ends if unused, and when it ends in any
/// case.
struct Model {
    user: usize,
    idle_end: u64,
    end: u64,
}

async fn run(steps: Vec<Step>) {
    let bench = Bench::start().await;
    let (mut tokens, mut now) = (Vec::new(), 0);
    let mut alive: BTreeMap<usize, Model> = BTreeMap::new();
    for step in steps {
        // The start times differ by at least a millisecond.
        bench.advance(Duration::from_millis(1));
        now += 1;
        match step {
            Step::Begin(user) => {
                tokens.push(bench.begin(&user.to_string()).await);
                let place = tokens.len() - 1;
                let (idle_end, end) = (now + 100_000, now + 1_000_000);
                alive.insert(
                    place,
                    Model {
                        user,
                        idle_end,
                        end,
                    },
                );
                // Expired sessions still count until their last moment.
                let theirs = alive.iter().filter(|(_, s)| s.user == user && s.end > now);
                let theirs: Vec<usize> = theirs.map(|(place, _)| *place).collect();
                for place in &theirs[..theirs.len().saturating_sub(3)] {
                    alive.remove(place);
                }
            }
            Step::Touch(place) if place < tokens.len() => {
                let model = alive.get_mut(&place);
                let model = model.filter(|s| now < s.idle_end && now < s.end);
                let expected = model.map(|session| session.idle_end = now + 100_000);
                assert_eq!(bench.goes_on(&tokens[place]).await, expected.is_some());
            }
            Step::Revoke(place) if place < tokens.len() => {
                let user = alive.remove(&place).map_or(0, |session| session.user);
                let user = user.to_string();
                let revoked = bench.sessions.revoke(&KIND, &tokens[place], &user).await;
                revoked.unwrap();
            }
            Step::RevokeAll(user) => {
                bench.sessions.revoke_all(&user.to_string()).await.unwrap();
                alive.retain(|_, session| session.user != user);
            }
            Step::Wait(seconds) => {
                bench.advance(Duration::from_secs(seconds));
                now += seconds * 1000;
            }
            Step::Touch(_) | Step::Revoke(_) => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sessions_behave_like_a_simple_model(
        steps in proptest::collection::vec(step(), 1..60)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(steps));
    }
}
