//! Runs the same work on both sides at several levels of concurrency.

use std::time::Duration;

use anyhow::Context as _;
use shared::clock::Clock;

use super::bullmq::{BullMq, BullMqMeasured};
use super::command::LoadTestCommand;
use super::places::{Places, named};
use super::redis_server::RedisServer;
use super::run::{Measured, Plan};
use super::work::Work;
use super::{drainer, report};
use crate::measure::bar;

/// Concurrent jobs on each side.
const CONCURRENCIES: [usize; 3] = [1, 5, 50];

/// BullMQ and the Redis it uses.
pub struct OtherSide {
    bullmq: BullMq,
    pub redis_url: String,
    _server: Option<RedisServer>,
}

impl OtherSide {
    /// # Errors
    /// If a program is not installed or does not start.
    pub async fn prepare(command: &LoadTestCommand) -> anyhow::Result<OtherSide> {
        let bullmq = BullMq::install().await?;
        let (redis_url, server) = match &command.redis {
            Some(url) => (url.clone(), None),
            None => {
                let server = RedisServer::start(&Clock::system()).await?;
                (server.url.clone(), Some(server))
            }
        };
        Ok(OtherSide {
            bullmq,
            redis_url,
            _server: server,
        })
    }

    /// Prints one table per level of concurrency.
    ///
    /// # Errors
    /// If either side fails.
    pub async fn compare(&self, command: &LoadTestCommand, places: &Places) -> anyhow::Result<()> {
        for concurrency in CONCURRENCIES {
            let plan = Plan {
                work: Work {
                    jobs: command.bullmq_jobs as usize,
                    failing: command.failing,
                    crashing: 0.0,
                    seed: command.seed,
                },
                concurrency,
                drainers: 1,
                lease: drainer::LEASE,
            };
            let mut ours: Vec<Vec<Measured>> = places.targets.iter().map(|_| Vec::new()).collect();
            let mut theirs = Vec::new();
            // Both sides alternate, so that a change in load affects both.
            for _ in 0..command.rounds {
                for ((name, target), rounds) in places.targets.iter().zip(&mut ours) {
                    rounds.push(places.run(name, target, &plan).await?);
                }
                theirs.push(self.run(&plan).await?);
            }
            let names = places.targets.iter().map(|(name, _)| *name);
            let ours: Vec<(&str, Measured)> = names
                .zip(ours)
                .filter_map(|(name, rounds)| Some((name, fastest(rounds, |m| m.drain.took)?)))
                .collect();
            let theirs = fastest(theirs, |m| m.drain.took()).context("no round was done")?;
            println!(
                "{} jobs, {concurrency} at once, against BullMQ {} on Node {}; \
                 the fastest of {} rounds each\n",
                plan.work.jobs, theirs.version, theirs.node, command.rounds
            );
            println!("{}", report::comparison(&named(&ours), &theirs));
        }
        Ok(())
    }

    async fn run(&self, plan: &Plan) -> anyhow::Result<BullMqMeasured> {
        let concurrency = plan.concurrency;
        let bar = bar(plan.work.jobs, &format!("BullMQ, {concurrency} at once"))?;
        let fates = plan.work.fates(concurrency);
        let measured = self.bullmq.run(&self.redis_url, &fates, concurrency, &bar);
        let measured = measured.await;
        bar.finish_and_clear();
        measured
    }
}

fn fastest<T>(rounds: Vec<T>, took: impl Fn(&T) -> Duration) -> Option<T> {
    rounds.into_iter().min_by_key(took)
}
