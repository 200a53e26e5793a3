//! `POST /api/guilds/{guildId}/scan`: scan a guild.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use shared::http::{
    ApiError, Bounded, Context, FieldCode, FieldError, Invalid, Moment, Reply, Snowflake, Spec,
};
use shared::jobs::{ChannelFilter, GuildScan, OptionsRequest, ScanMode};
use shared::openapi::Operation;
use shared::queue::JobId;

use crate::State;
use crate::policy::{ScanPolicy, ScanTarget};
use crate::run_at::check_run_at;
use crate::scan::Created;
use crate::store::store;

pub const CREATE: Spec<OneGuild> =
    Spec::post("/api/guilds/{guildId}/scan", "scanGuild", "Scan a guild");

/// The most ids in a list. Discord allows 500 channels per guild.
const MOST: usize = 500;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OneGuild {
    /// The id of the guild.
    guild_id: Snowflake,
}

/// How to scan a guild.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "GuildScanRequest")]
struct CreateGuildScan {
    /// Which way to read each channel. Defaults to `forward`.
    scan_mode: Option<ScanMode>,
    /// Which channels to scan. Defaults to all that the bot may read.
    channels: Option<FilterRequest>,
    /// Limits on what the scan of each channel reads and stores.
    options: Option<OptionsRequest>,
    /// When the scans run relative to others: 1 first, 10 last. Defaults to the guild's
    /// setting.
    priority: Option<Bounded<1, 10>>,
    /// When to run at the earliest. Defaults to now; a time in the past is refused.
    run_at: Option<Moment>,
}

/// Which channels of a guild to scan. Each id may be that of a channel, of an active thread,
/// or of a category, which stands for the channels in it.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ChannelFilterRequest")]
struct FilterRequest {
    /// Scans only these, and threads in them; at most 500.
    include: Option<Vec<Snowflake>>,
    /// Leaves these out, and threads in them; at most 500.
    exclude: Option<Vec<Snowflake>>,
}

impl FilterRequest {
    /// # Errors
    /// 400 that names each list that is too long, or empty where that would scan nothing.
    fn into_filter(self) -> Result<ChannelFilter, ApiError> {
        let mut wrong = Vec::new();
        let mut check = |name: &str, ids: &Option<Vec<Snowflake>>, least: usize| {
            let length = ids.as_ref().map_or(least, Vec::len);
            if !(least..=MOST).contains(&length) {
                let detail = format!("expected an array of {least} to {MOST} ids");
                let field = format!("channels.{name}");
                wrong.push(FieldError::field(&field, FieldCode::OutOfRange, detail));
            }
        };
        check("include", &self.include, 1);
        check("exclude", &self.exclude, 0);
        if let Some(wrong) = Invalid::of(wrong) {
            return Err(wrong.into());
        }
        // In one order, so that the same request made twice is the same scan.
        let ids = |ids: Option<Vec<Snowflake>>| {
            let ids = ids.unwrap_or_default().into_iter().map(String::from);
            let ids: std::collections::BTreeSet<String> = ids.collect();
            ids.into_iter().collect()
        };
        Ok(ChannelFilter {
            include: ids(self.include),
            exclude: ids(self.exclude),
        })
    }
}

pub fn operations() -> Vec<Operation> {
    vec![
        CREATE
            .operation().describe("Creates a job that scans a guild: it lists the guild's channels and threads, stores a scan of each that the bot may read, and follows these scans until all have ended. Follow it with `GET /api/guilds/{guildId}/scans/{scanId}` or `GET /api/scans/stream/{scanId}`. Cancelling or retrying its job cancels or retries the whole. If a scan of the same channels of the guild in the same mode has not finished, no second one is created: the reply names the unfinished scan, with `duplicate: true`.")
            .body::<CreateGuildScan>()
            .reply::<Created>(202, "The scan was created, or an unfinished one stands for it."),
    ]
}

pub async fn create(cx: Context<State, OneGuild>) -> Result<Reply, ApiError> {
    let input: CreateGuildScan = cx.json()?;
    let target = ScanTarget {
        guild_id: cx.path.guild_id.as_str().to_owned(),
        // Which channels are excluded is for the drainer to find out.
        channel_id: String::new(),
        priority: input.priority.map(|priority| priority.get() as u8),
    };
    let scan = GuildScan {
        scan_mode: Some(input.scan_mode.unwrap_or(ScanMode::Forward)),
        channels: input.channels.unwrap_or_default().into_filter()?,
        options: input.options.unwrap_or_default().into(),
        ..GuildScan::new(&target.guild_id)
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
    let enqueued = store(&cx, vec![job], &BTreeMap::new(), exchange.as_ref()).await?;
    let created = enqueued.first().map_or(usual, Created::from);
    Ok(Reply::accepted(&created))
}
