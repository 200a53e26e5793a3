//! `POST /api/jobs`: jobs by their type, one or a list.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::http::{ApiError, Bounded, Reply, Request, Snowflake};
use shared::jobs::{ChannelScan, Direction, MessageScan};
use shared::queue::{JobId, NewJob};
use shared::redis::Redis;

use crate::State;
use crate::scan::{Created, Options};

/// The most jobs of one request.
const MOST: usize = 100;

/// A job as producers spell it, in either way of writing names. One struct for all
/// types, so that a mistake is named by its path.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateJob {
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(alias = "guild_id")]
    guild_id: Snowflake,
    #[serde(alias = "channel_id")]
    channel_id: Snowflake,
    direction: Option<Direction>,
    limit: Option<Bounded<1, 1_000_000>>,
    #[serde(alias = "before_message_id")]
    before_message_id: Option<Snowflake>,
    #[serde(alias = "after_message_id")]
    after_message_id: Option<Snowflake>,
    #[serde(alias = "auto_continue")]
    auto_continue: Option<bool>,
    #[serde(alias = "message_ids")]
    message_ids: Option<Vec<Snowflake>>,
    options: Option<Options>,
    priority: Option<Bounded<1, 10>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Batch,
    Message,
}

#[derive(Serialize)]
struct CreatedJobs {
    jobs: Vec<Created>,
}

pub async fn create(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let inputs: Vec<CreateJob> = request.json_one_or_many(MOST)?;
    let many = inputs.len() > 1;
    let mut jobs = Vec::with_capacity(inputs.len());
    for (place, input) in inputs.into_iter().enumerate() {
        let place = if many {
            format!("[{place}].")
        } else {
            String::new()
        };
        let mut job = to_job(&state, &place, input)?;
        job.traceparent = request.traceparent().map(str::to_owned);
        jobs.push(job);
    }
    let enqueued = state.queue.on(&redis).enqueue_many(jobs).await?;
    state.waker.wake().await;
    Ok(Reply::accepted(&CreatedJobs {
        jobs: enqueued
            .into_iter()
            .map(|job| Created {
                job_id: job.id().clone(),
                scan_id: job.id().clone(),
                duplicate: job.is_duplicate(),
            })
            .collect(),
    }))
}

fn to_job(state: &State, place: &str, input: CreateJob) -> Result<NewJob, ApiError> {
    let id = JobId::new(state.queue.clock());
    let mut job = match input.kind {
        Kind::Batch => {
            if input.before_message_id.is_some() && input.after_message_id.is_some() {
                return Err(ApiError::bad_request(format!(
                    "{place}afterMessageId: expected either this or beforeMessageId"
                )));
            }
            let scan = ChannelScan {
                guild_id: input.guild_id.into(),
                channel_id: input.channel_id.into(),
                scan_mode: None,
                direction: Some(input.direction.unwrap_or(Direction::Backward)),
                limit: Some(input.limit.map_or(100, Bounded::get)),
                before_message_id: input.before_message_id.map(String::from),
                after_message_id: input.after_message_id.map(String::from),
                auto_continue: input.auto_continue.unwrap_or(false),
                options: input.options.unwrap_or_default().into(),
            };
            let mut job = NewJob::new(id, ChannelScan::BATCH, &scan)?;
            job.unique = scan.unique_key();
            job
        }
        Kind::Message => {
            let ids = input.message_ids.unwrap_or_default();
            if ids.is_empty() || ids.len() > MessageScan::MOST {
                return Err(ApiError::bad_request(format!(
                    "{place}messageIds: expected a list of 1 to {} ids",
                    MessageScan::MOST
                )));
            }
            let scan = MessageScan {
                guild_id: input.guild_id.into(),
                channel_id: input.channel_id.into(),
                message_ids: ids.into_iter().map(String::from).collect(),
                options: input.options.unwrap_or_default().into(),
            };
            NewJob::new(id, MessageScan::KIND, &scan)?
        }
    };
    if let Some(priority) = input.priority {
        job.priority = priority.get() as u8;
    }
    Ok(job)
}
