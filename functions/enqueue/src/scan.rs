//! `POST /api/jobs/scan`: scan a channel.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::http::{ApiError, Bounded, Context, Moment, Reply, Snowflake, Spec};
use shared::jobs::{ChannelScan, OptionsRequest, ScanMode};
use shared::openapi::Operation;
use shared::queue::{Enqueued, JobId};

use crate::State;
use crate::policy::{ScanPolicy, ScanTarget};
use crate::run_at::check_run_at;
use crate::store::store;

pub const CREATE: Spec = Spec::post("/api/jobs/scan", "scanChannel", "Scan a channel");

/// Which channel to scan, and how.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ScanRequest")]
struct CreateScan {
    /// The id of the guild that the channel is in.
    guild_id: Snowflake,
    /// The id of the channel or thread to scan.
    channel_id: Snowflake,
    /// Which way to read. Defaults to `forward`.
    scan_mode: Option<ScanMode>,
    /// Limits on what the scan reads and stores.
    options: Option<OptionsRequest>,
    /// When the scan runs relative to others: 1 first, 10 last. Defaults to the guild's
    /// setting.
    priority: Option<Bounded<1, 10>>,
    /// When to run at the earliest. Defaults to now; a time in the past is refused.
    run_at: Option<Moment>,
}

/// The job that was created, or the unfinished one that stands for it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CreatedJob")]
pub struct Created {
    /// The id of the job.
    pub job_id: JobId,
    /// The same as `jobId`.
    pub scan_id: JobId,
    /// Whether an unfinished scan of the same channel and mode stands for this one. Until
    /// that scan begins, it takes the earlier time and the better priority of the two.
    pub duplicate: bool,
    /// Whether that scan was requested with other options, which it keeps.
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

pub fn operations() -> Vec<Operation> {
    vec![
        CREATE
            .operation().describe("Creates a job that scans a channel for clips, and replies before it runs. Follow the scan with `GET /api/scans/stream/{scanId}`. If a scan of the same channel in the same mode has not finished, no second one is created: the reply names the unfinished scan, with `duplicate: true`.")
            .body::<CreateScan>()
            .reply::<Created>(202, "The scan was created, or an unfinished one stands for it."),
    ]
}

pub async fn create(cx: Context<State>) -> Result<Reply, ApiError> {
    let input: CreateScan = cx.json()?;
    let target = ScanTarget {
        guild_id: input.guild_id.into(),
        channel_id: input.channel_id.into(),
        priority: input.priority.map(|priority| priority.get() as u8),
    };
    let scan = ChannelScan {
        guild_id: target.guild_id.clone(),
        channel_id: target.channel_id.clone(),
        scan_mode: Some(input.scan_mode.unwrap_or(ScanMode::Forward)),
        direction: None,
        limit: None,
        before_message_id: None,
        after_message_id: None,
        auto_continue: false,
        rescan: false,
        guild_scan_id: None,
        scheduled: false,
        options: input.options.unwrap_or_default().into(),
    };
    let mut job = scan.into_job(JobId::new(cx.clock()))?;
    job.traceparent = cx.trace().map(String::from);
    job.run_at_ms = input.run_at.map(Moment::ms);
    cx.queue().check(std::slice::from_ref(&job))?;
    check_run_at(&cx, &[(None, input.run_at)]).await?;
    let policy = ScanPolicy::read(&cx, [&target]).await?;
    policy.apply(&target, None, &mut job)?;
    let usual = Created::new(&job.id);
    let exchange = cx.store_with_work(&Reply::accepted(&usual));
    let scans = BTreeMap::from([(0, target)]);
    let enqueued = store(&cx, vec![job], &scans, exchange.as_ref()).await?;
    let created = enqueued.first().map_or(usual, Created::from);
    Ok(Reply::accepted(&created))
}
