//! A Redis client that records the rounds of a drainer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::Value;
use shared::redis::{Error, FromReply as _, RawCommand, Redis, RedisService, Reply, Scope};

use super::log::Log;
use super::{Event, Outcome, Phase};

pub struct Witness {
    pub redis: Redis,
    pub log: Arc<Log>,
    pub rounds: Arc<AtomicU64>,
}

/// The request of a round, if `command` is one.
fn round_of(command: &RawCommand) -> Option<Value> {
    let words = &command.words;
    if !words.first()?.starts_with("EVAL") {
        return None;
    }
    let n_keys: usize = words.get(2)?.parse().ok()?;
    let request: Value = serde_json::from_str(words.get(3 + n_keys)?).ok()?;
    request.get("token").is_some().then_some(request)
}

fn attempt(value: &Value) -> (String, u64) {
    let id = value["id"].as_str().unwrap_or_default().to_owned();
    (id, value["fence"].as_u64().unwrap_or_default())
}

fn sent(n: u64, request: &Value) -> Event {
    let list = |name: &str| request[name].as_array().cloned().unwrap_or_default();
    Event::Tick {
        n,
        now: request["now"].as_i64().unwrap_or_default(),
        token: request["token"].as_str().unwrap_or_default().to_owned(),
        settle: list("settle")
            .iter()
            .map(|value| {
                let (id, fence) = attempt(value);
                Outcome {
                    id,
                    fence,
                    outcome: value["outcome"].as_str().unwrap_or_default().to_owned(),
                    run_at: value["run_at"].as_i64(),
                }
            })
            .collect(),
        renew: list("renew").iter().map(attempt).collect(),
    }
}

/// The parts of a round's reply that are checked.
fn answered(n: u64, reply: &Reply) -> Option<Event> {
    let Reply::Array(parts) = reply else {
        return None;
    };
    let words = |part: usize| Vec::<String>::from_reply(parts.get(part)?.clone()).ok();
    let Reply::Array(claimed) = parts.get(2)? else {
        return None;
    };
    let claimed = claimed
        .iter()
        .map(|job| {
            let job = Vec::<String>::from_reply(job.clone()).ok()?;
            let header: Value = serde_json::from_str(job.get(1)?).ok()?;
            Some((job.first()?.clone(), header["fence"].as_u64()?))
        })
        .collect::<Option<_>>()?;
    Some(Event::Ticked {
        n,
        settled: words(0)?,
        renewed: words(1)?,
        claimed,
    })
}

fn silent(n: u64) -> Event {
    Event::Ticked {
        n,
        settled: Vec::new(),
        renewed: Vec::new(),
        claimed: Vec::new(),
    }
}

impl RedisService for Witness {
    fn execute(&self, command: RawCommand) -> BoxFuture<'_, Result<Reply, Error>> {
        let Some(request) = round_of(&command) else {
            return self.redis.execute(command);
        };
        async move {
            let n = self.rounds.fetch_add(1, Ordering::SeqCst);
            self.log.note(Phase::Invoke, sent(n, &request));
            let reply = self.redis.execute(command).await;
            match &reply {
                Ok(reply) => match answered(n, reply) {
                    Some(event) => self.log.note(Phase::Ok, event),
                    None => self.log.note(Phase::Info, silent(n)),
                },
                Err(error) if error.is_outcome_unknown() => self.log.note(Phase::Info, silent(n)),
                Err(_) => self.log.note(Phase::Fail, silent(n)),
            }
            reply
        }
        .boxed()
    }

    fn pipeline(
        &self,
        commands: Vec<RawCommand>,
    ) -> BoxFuture<'_, Result<Vec<Result<Reply, Error>>, Error>> {
        self.redis.pipeline(commands)
    }

    fn multi_exec(
        &self,
        commands: Vec<RawCommand>,
    ) -> BoxFuture<'_, Result<Vec<Result<Reply, Error>>, Error>> {
        self.redis.multi_exec(commands)
    }

    fn scoped(&self, scope: Scope) -> Redis {
        Arc::new(Witness {
            redis: self.redis.scoped(scope),
            log: self.log.clone(),
            rounds: self.rounds.clone(),
        })
    }

    fn sync_token(&self) -> Option<String> {
        self.redis.sync_token()
    }
}
