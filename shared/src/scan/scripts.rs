//! The scripts of the scan's domain and their results as types.

use serde::Serialize;

use super::Channel;
use crate::redis::{Error, Pipeline, Redis, Reply, Script, Slot};

static TAKE: Script = Script::new("take", &[include_str!("scripts/take.lua")]);
static SAVE: Script = Script::new("save", &[include_str!("scripts/save.lua")]).running(6);
static NOTE: Script = Script::new("note", &[include_str!("scripts/note.lua")]);
static PAUSE: Script = Script::new("pause", &[include_str!("scripts/pause.lua")]);

/// Every script, for tests that read them.
pub static ALL: &[&Script] = &[&TAKE, &SAVE, &NOTE, &PAUSE];

#[derive(Serialize)]
pub(super) struct SaveRequest<'a> {
    pub channel: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<&'a Channel>,
    pub clips: Vec<SaveClip<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub also: Option<SaveField<'a>>,
}

#[derive(Serialize)]
pub(super) struct SaveField<'a> {
    pub field: &'a str,
    pub value: &'a str,
}

#[derive(Serialize)]
pub(super) struct SaveClip<'a> {
    pub id: &'a str,
    pub message: &'a str,
    pub posted: i64,
    pub forward: bool,
    pub member: String,
}

/// The keys `save` writes.
pub(super) struct SaveKeys {
    pub channels: String,
    pub clips: String,
    pub recent: String,
    pub by_channel: String,
    /// The hash of another's field, if there is one.
    pub also: Option<String>,
}

pub(super) async fn take(
    redis: &Redis,
    keys: &[&str; 3],
    channel: &str,
    now: i64,
    owner: &super::Owner,
    latest: i64,
) -> Result<(String, Reply, String), Error> {
    let args = [
        channel.to_owned(),
        now.to_string(),
        owner.job.clone(),
        owner.fence.to_string(),
        owner.until.to_string(),
        latest.to_string(),
    ];
    TAKE.run(&**redis, keys, &args).await
}

pub(super) async fn pause(redis: &Redis, breaker: &str, now: i64, until: i64) -> Result<(), Error> {
    let args = [now.to_string(), until.to_string()];
    let _until: i64 = PAUSE.run(&**redis, &[breaker], &args).await?;
    Ok(())
}

pub(super) async fn note(redis: &Redis, channels: &str, args: &[String]) -> Result<(), Error> {
    let _new: u64 = NOTE.run(&**redis, &[channels], args).await?;
    Ok(())
}

pub(super) fn add_save(
    pipeline: &mut Pipeline,
    keys: &SaveKeys,
    request: &SaveRequest<'_>,
    clips: Vec<String>,
) -> Slot<(String, u64, u64)> {
    // Text and numbers only: this cannot fail.
    let request = serde_json::to_string(request).unwrap_or_default();
    let args: Vec<String> = std::iter::once(request).chain(clips).collect();
    let mut all = vec![
        keys.channels.as_str(),
        &keys.clips,
        &keys.recent,
        &keys.by_channel,
    ];
    all.extend(keys.also.as_deref());
    pipeline.add_script(&SAVE, &all, &args)
}
