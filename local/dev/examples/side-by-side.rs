//! Compares the cost and the behaviour of the rate limits and locks with
//! `@upstash/ratelimit` and `@upstash/lock` on the same endpoint.
//!
//! `cargo run -p dev --example side-by-side -- FOLDER`, where FOLDER contains
//! `local/dev/side-by-side` with its packages installed. `.ci/run beside` does that.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use shared::clock::Clock;
use shared::config::{Provider, RedisConfig};
use shared::lock::Locks;
use shared::rate_limiter::{Algorithm, RateLimiter, Rule, Verdict};
use shared::redis::commands::Keys as _;
use shared::redis::{Redis, Scope};
use upstash_local::{Fault, FaultAction, Server};

const CALLS: u32 = 200;
const MINUTE: Duration = Duration::from_secs(60);

/// An output line of either side.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Cost {
        cost: String,
        billed: u64,
        ms: Option<f64>,
    },
    Behaviour {
        behaviour: String,
        saw: String,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = std::env::args()
        .nth(1)
        .context("missing argument: the folder")?;
    let server = Server::start(upstash_local::Options {
        control: Some(([127, 0, 0, 1], 0).into()),
        ..upstash_local::Options::default()
    })
    .await?;
    let control = server.control_url().context("no control")?;
    let node = tokio::process::Command::new("node")
        .current_dir(folder)
        .args(["bench.mjs", &server.url(), server.token(), &control])
        .stderr(Stdio::inherit())
        .output()
        .await
        .context("cannot start node")?;
    ensure!(node.status.success(), "bench.mjs failed: {}", node.status);
    let theirs = String::from_utf8(node.stdout)?;
    let theirs: Vec<Line> = theirs
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let ours = Ours::new(&server)?.measure().await?;
    print(&ours, &theirs);
    Ok(())
}

/// Trawl's side of the comparison.
struct Ours<'a> {
    server: &'a Server,
    clock: Clock,
    redis: Redis,
    lines: Vec<Line>,
}

impl Ours<'_> {
    fn new(server: &Server) -> anyhow::Result<Ours<'_>> {
        let config = RedisConfig {
            provider: Provider::Local,
            url: server.url(),
            token: server.token().into(),
            key_prefix: "ours:".to_owned(),
            ca_file: None,
        };
        let clock = Clock::system();
        Ok(Ours {
            redis: shared::redis::connect(&config, &clock)?,
            server,
            clock,
            lines: Vec::new(),
        })
    }

    async fn measure(mut self) -> anyhow::Result<Vec<Line>> {
        for (name, algorithm) in [
            ("fixed window", Algorithm::FixedWindow),
            ("sliding window", Algorithm::SlidingWindow),
            ("token bucket", Algorithm::TokenBucket { burst: 3 }),
        ] {
            self.limit(name, algorithm).await;
        }
        self.lock().await?;
        self.behaviours().await?;
        Ok(self.lines)
    }

    /// A check that no cached block answers.
    async fn ask(&self, clock: &Clock, rule: &Rule, caller: &str, weight: u32) -> Verdict {
        let limiter = RateLimiter::new("ours:", clock.clone());
        let check = limiter.call(rule, caller, weight);
        limiter.check(&self.redis, &check).await
    }

    async fn limit(&mut self, name: &str, algorithm: Algorithm) {
        let three = Rule::new("three", 3, MINUTE).by(algorithm);
        let many = match algorithm {
            Algorithm::TokenBucket { .. } => Algorithm::TokenBucket { burst: 1_000_000 },
            other => other,
        };
        let many = Rule::new("many", 1_000_000, MINUTE).by(many);
        let clock = self.clock.clone();
        self.ask(&clock, &many, name, 1).await;
        self.cost(
            &format!("{name}, the first call"),
            None,
            async |ours: &Self| {
                ours.ask(&clock, &three, name, 1).await;
            },
        )
        .await;
        for _ in 0..2 {
            self.ask(&clock, &three, name, 1).await;
        }
        for (word, rule) in [("another", &many), ("refused", &three)] {
            let work = async |ours: &Self| {
                ours.ask(&clock, rule, name, 1).await;
            };
            self.cost(&format!("{name}, {word}"), Some(CALLS), work)
                .await;
        }
    }

    async fn lock(&mut self) -> anyhow::Result<()> {
        let locks = Locks::new(self.redis.clone(), "ours:", self.clock.clone());
        let acquire = async || locks.try_acquire("lock", MINUTE).await;
        let mut held = None;
        self.cost("lock, acquire", None, async |_: &Self| {
            held = acquire().await.ok().flatten();
        })
        .await;
        let mut held = held.context("the lock is free")?;
        self.cost("lock, find it held", Some(CALLS), async |_: &Self| {
            let _ = acquire().await;
        })
        .await;
        self.cost("lock, extend", Some(CALLS), async |_: &Self| {
            let _ = held.extend(MINUTE).await;
        })
        .await;
        let mut held = Some(held);
        self.cost("lock, release", None, async |_: &Self| {
            if let Some(held) = held.take() {
                let _ = held.release().await;
            }
        })
        .await;
        self.cost(
            "lock, acquire and release",
            Some(CALLS),
            async |_: &Self| {
                if let Ok(Some(held)) = acquire().await {
                    let _ = held.release().await;
                }
            },
        )
        .await;
        Ok(())
    }

    async fn behaviours(&mut self) -> anyhow::Result<()> {
        let (_, keys) = self.redis.scan("0", "ours:ratelimit:*", 1000).await?;
        let mut expires = true;
        for key in &keys {
            expires &= self.redis.pttl(key).await? > 0;
        }
        self.saw(
            "a cached counter expires",
            if expires { "yes" } else { "never" },
        );
        let clock = self.clock.clone();
        for (name, algorithm) in [
            ("fixed window", Algorithm::FixedWindow),
            ("sliding window", Algorithm::SlidingWindow),
        ] {
            let rule = Rule::new("weighed", 4, MINUTE).by(algorithm);
            let mut last = None;
            for weight in [3, 3, 1] {
                last = Some(self.ask(&clock, &rule, name, weight).await);
            }
            let has_room = last.is_some_and(|verdict| verdict.admitted);
            self.saw(
                &format!("{name}: a refused call of weight 3 leaves room for 1"),
                if has_room { "yes" } else { "no" },
            );
        }

        let login = Rule::new("login", 5, MINUTE).or_refuse();
        let delay = FaultAction::Delay(Duration::from_millis(400));
        self.server.faults().add(Fault::new(delay));
        let patience = Duration::from_millis(50);
        let hurried = Ours {
            redis: self.redis.scoped(Scope {
                deadline: Some(self.clock.deadline(patience)),
                sync_token: None,
            }),
            lines: Vec::new(),
            clock: clock.clone(),
            server: self.server,
        };
        let verdict = hurried.ask(&clock, &login, "a", 1).await;
        self.saw("a sign-in while the check times out", word(&verdict));
        self.server.faults().clear();

        let skewed = Rule::new("skewed", 1, MINUTE);
        self.ask(&clock, &skewed, "a", 1).await;
        let behind = Clock::manual(clock.now_ms() - 60_000);
        let verdict = self.ask(&behind, &skewed, "a", 1).await;
        self.saw("limit used, a clock one window behind", word(&verdict));

        let edge = Rule::new("edge", 10, MINUTE);
        let start = clock.now_ms().div_euclid(60_000) * 60_000;
        let mut sum = 0;
        for at_ms in [start + 59_999, start + 119_998] {
            for _ in 0..20 {
                let moved = Clock::manual(at_ms);
                sum += u32::from(self.ask(&moved, &edge, "a", 1).await.admitted);
            }
        }
        self.saw("limit 10: most in less than one window", &sum.to_string());

        let locks = Locks::new(self.redis.clone(), "ours:", self.clock.clone());
        let mut short = locks.try_acquire("short", MINUTE).await?.context("free")?;
        let extended = short.extend(Duration::from_millis(500)).await?;
        self.saw(
            "lock: extend by 500 ms",
            if extended { "extended" } else { "refused" },
        );
        self.server
            .faults()
            .add(Fault::new(FaultAction::DropAfterCommit));
        let got = locks.try_acquire("lost", MINUTE).await?.is_some();
        self.saw(
            "lock: acquire, its reply lost",
            if got { "acquired" } else { "not acquired" },
        );
        let began = self.clock.elapsed();
        let at_once = self.clock.deadline(Duration::ZERO);
        let _ = locks.acquire("lost", MINUTE, &at_once).await;
        let waited = self.clock.elapsed() - began > Duration::from_millis(250);
        self.saw(
            "lock: waits after its last try",
            if waited { "yes" } else { "no" },
        );
        let fences = short.fence() > 0;
        self.saw(
            "lock: a fence to check writes with",
            if fences { "yes" } else { "no" },
        );
        Ok(())
    }

    /// Prints what `work` is billed once, and its median time over `calls` calls.
    async fn cost(&mut self, name: &str, calls: Option<u32>, mut work: impl AsyncFnMut(&Self)) {
        self.server.reset_meter();
        work(self).await;
        let billed = self.server.meter().total;
        let mut times = Vec::new();
        for _ in 0..calls.unwrap_or(0) {
            let began = self.clock.elapsed();
            work(self).await;
            times.push(self.clock.elapsed() - began);
        }
        times.sort_unstable();
        let median = times.get(times.len() / 2);
        self.lines.push(Line::Cost {
            cost: name.to_owned(),
            billed,
            ms: median.map(|time| time.as_secs_f64() * 1000.0),
        });
    }

    fn saw(&mut self, behaviour: &str, saw: &str) {
        self.lines.push(Line::Behaviour {
            behaviour: behaviour.to_owned(),
            saw: saw.to_owned(),
        });
    }
}

fn word(verdict: &Verdict) -> &'static str {
    if verdict.admitted {
        "admitted"
    } else {
        "refused"
    }
}

fn print(ours: &[Line], theirs: &[Line]) {
    let time = |ms: Option<f64>| ms.map_or("-".to_owned(), |ms| format!("{ms:.2} ms"));
    let cells = |lines: &[Line]| -> BTreeMap<String, (String, String)> {
        let cell = |line: &Line| match line {
            Line::Cost { cost, billed, ms } => (cost.clone(), (billed.to_string(), time(*ms))),
            Line::Behaviour { behaviour, saw } => (behaviour.clone(), (saw.clone(), String::new())),
        };
        lines.iter().map(cell).collect()
    };
    let (mine, others) = (cells(ours), cells(theirs));
    let none = ("-".to_owned(), "-".to_owned());
    println!(
        "\n{:<32} {:>6} {:>10} {:>8} {:>10}",
        "", "billed", "median", "upstash", "median"
    );
    let is_cost = |line: &&Line| matches!(line, Line::Cost { .. });
    for line in theirs.iter().filter(is_cost) {
        if let Line::Cost { cost, .. } = line {
            let (ours, theirs) = (mine.get(cost).unwrap_or(&none), &others[cost]);
            println!(
                "{cost:<32} {:>6} {:>10} {:>8} {:>10}",
                ours.0, ours.1, theirs.0, theirs.1
            );
        }
    }
    println!("\n{:<62} {:<10} upstash", "", "here");
    for line in theirs {
        if let Line::Behaviour { behaviour, saw } = line {
            let ours = mine.get(behaviour).unwrap_or(&none);
            println!("{behaviour:<62} {:<10} {saw}", ours.0);
        }
    }
}
