//! `POST /api/jobs/scan`: scan a channel.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::http::{ApiError, Bounded, Moment, Reply, Request, Snowflake};
use shared::jobs::{ChannelScan, OptionsRequest, ScanMode};
use shared::queue::{Enqueued, JobId};
use shared::redis::Redis;

use crate::State;
use crate::run_at::check_run_at;
use crate::store::store;
use crate::terms::{Terms, Wanted};

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateScan {
    guild_id: Snowflake,
    channel_id: Snowflake,
    scan_mode: Option<ScanMode>,
    options: Option<OptionsRequest>,
    priority: Option<Bounded<1, 10>>,
    run_at: Option<Moment>,
}

#[derive(Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Created {
    pub job_id: JobId,
    pub scan_id: JobId,
    /// An unfinished scan of the same channel and mode stands for this one. Until it
    /// begins, it takes the earlier time and the better priority of the two.
    pub duplicate: bool,
    /// That scan was asked for with other options, and keeps them.
    pub options_ignored: bool,
}

impl Created {
    /// Of a job that is new.
    pub fn new(id: &JobId) -> Created {
        Created {
            job_id: id.clone(),
            scan_id: id.clone(),
            duplicate: false,
            options_ignored: false,
        }
    }
}

impl From<&Enqueued> for Created {
    fn from(enqueued: &Enqueued) -> Created {
        Created {
            duplicate: enqueued.is_duplicate(),
            options_ignored: enqueued.differs(),
            ..Created::new(enqueued.id())
        }
    }
}

pub async fn create(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let input: CreateScan = request.json()?;
    let wanted = Wanted {
        guild_id: input.guild_id.into(),
        channel_id: input.channel_id.into(),
        priority: input.priority.map(|priority| priority.get() as u8),
    };
    let scan = ChannelScan {
        guild_id: wanted.guild_id.clone(),
        channel_id: wanted.channel_id.clone(),
        scan_mode: Some(input.scan_mode.unwrap_or(ScanMode::Forward)),
        direction: None,
        limit: None,
        before_message_id: None,
        after_message_id: None,
        auto_continue: false,
        options: input.options.unwrap_or_default().into(),
    };
    let id = JobId::new(state.queue.clock());
    let mut job = scan.into_job(id)?;
    job.traceparent = request.trace().map(String::from);
    job.run_at_ms = input.run_at.map(Moment::ms);
    state.queue.check(std::slice::from_ref(&job))?;
    check_run_at(&request, &state.queue, "", input.run_at).await?;
    let terms = Terms::read(&state, &redis, [&wanted]).await?;
    terms.apply(&wanted, "", &mut job)?;
    let usual = Created::new(&job.id);
    let exchange = request.foresee(&Reply::accepted(&usual));
    let scans = BTreeMap::from([(0, wanted)]);
    let enqueued = store(&state, &redis, vec![job], &scans, exchange.as_ref()).await?;
    let created = enqueued.first().map_or(usual, Created::from);
    Ok(Reply::accepted(&created))
}
