//! `GET /api/guilds/{guildId}/scans/{scanId}`: a scan of a whole guild.
//!
//! One request reads the job and its plan, and another the scans that had not ended when the
//! job last looked. So the reply is never older than the request.

use schemars::JsonSchema;
use serde::Deserialize;
use shared::http::{ApiError, Context, ErrorCode, Reply, Snowflake, Spec, unknown_job};
use shared::jobs::{GuildScan, GuildScanState};
use shared::openapi::Operation;
use shared::queue::JobId;
use shared::redis::Pipeline;
use shared::scan::ScanStore;

pub const SHOW: Spec<OneScan> = Spec::get(
    "/api/guilds/{guildId}/scans/{scanId}",
    "getGuildScan",
    "Get a guild scan",
);

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OneScan {
    /// The id of the guild.
    guild_id: Snowflake,
    /// The id of the guild scan.
    scan_id: JobId,
}

pub fn operations() -> Vec<Operation> {
    vec![
        SHOW.operation().describe("Returns how the scan of a guild stands, over all its channels and for each of them, and which channels are left out and why. To cancel or retry the whole, cancel or retry its job. There are no pages: a guild scan has at most 10,000 channels and threads.")
            .reply::<GuildScanState<'_>>(200, "The guild scan.")
            .problems(&[404]),
    ]
}

pub async fn show(cx: Context<(), OneScan>) -> Result<Reply, ApiError> {
    let (id, guild) = (&cx.path.scan_id, cx.path.guild_id.as_str());
    let (queue, store) = (cx.queue(), cx.store());
    let mut pipeline = Pipeline::new();
    let job = queue.add_job(&mut pipeline, id);
    let plan = store.add_plan(&mut pipeline, id.as_str());
    let mut replies = pipeline.send(&**cx.redis()).await?;
    let job = queue.read_job(&mut replies, job, id)?;
    let is_of_guild = |data: &str| {
        let scan = serde_json::from_str::<GuildScan>(data);
        scan.is_ok_and(|scan| scan.guild_id == guild)
    };
    let Some(job) = job else {
        return Err(unknown_job(&cx, id, "guild scan"));
    };
    if job.kind != GuildScan::KIND || !is_of_guild(job.data.get()) {
        let detail = "the guild has no such guild scan";
        return Err(ApiError::new(ErrorCode::JobNotFound, detail));
    }
    let plan = ScanStore::read_plan(replies.take(plan)?);
    let unfinished = plan.as_ref().map_or(Vec::new(), |plan| {
        let planned = plan.channels.values();
        let planned = planned.filter(|planned| planned.is_unfinished());
        planned
            .filter_map(|planned| JobId::parse(planned.job.as_deref()?))
            .collect()
    });
    let jobs = match unfinished.is_empty() {
        true => Vec::new(),
        false => queue.jobs(&unfinished).await?,
    };
    let now = cx.clock().now_ms();
    Ok(Reply::ok(&GuildScanState::of(
        &job,
        guild,
        plan.as_ref(),
        &jobs,
        now,
    )))
}
