//! The scripts of the scan domain, with their results as types.

use serde::Serialize;

use super::{Channel, Owner};
use crate::json::to_json;
use crate::redis::{
    Error, FromReply, LuaFiles, Pipeline, RawCommand, Redis, Reply, Script, Slot, lua_files,
};

const FILES: LuaFiles = lua_files![
    "base", "breaker", "forwards", "note", "page", "pause", "probe", "records", "remove", "resume",
    "rows", "save", "take",
];

static TAKE: Script = Script::new("take", FILES);
static SAVE: Script = Script::new("save", FILES).running(9);
static REMOVE: Script = Script::new("remove", FILES).running(8);
static PROBE: Script = Script::new("probe", FILES).running(8);
static NOTE: Script = Script::new("note", FILES);
static PAUSE: Script = Script::new("pause", FILES);
static RESUME: Script = Script::new("resume", FILES);

/// Every script, for tests that read them.
pub static ALL: &[&Script] = &[&TAKE, &SAVE, &REMOVE, &PROBE, &NOTE, &PAUSE, &RESUME];

#[derive(Serialize)]
pub(super) struct SaveRequest<'a> {
    pub channel: &'a str,
    pub job: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<&'a Channel>,
    pub found: u64,
    pub clips: Vec<SaveClip<'a>>,
    pub stretches: Vec<[String; 2]>,
    pub stale: &'a [String],
    pub again: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub also: Option<SaveField<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watch: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pace: Option<SavePace<'a>>,
    pub tell: Vec<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<Vec<SaveCount<'a>>>,
    pub note: bool,
}

#[derive(Serialize)]
pub(super) struct SaveField<'a> {
    pub field: &'a str,
    pub value: &'a str,
}

#[derive(Serialize)]
pub(super) struct SaveClip<'a> {
    pub id: &'a str,
    pub posted: i64,
    pub forward: bool,
    pub member: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<u64>,
}

#[derive(Serialize)]
pub(super) struct SavePace<'a> {
    pub field: &'a str,
    pub now: i64,
    pub spent: u64,
}

#[derive(Serialize)]
pub(super) struct SaveCount<'a> {
    pub key: &'a str,
    pub place: &'a str,
    pub keep: u64,
}

/// The reply of `take`: a word with its detail, the guild's settings, the circuit breaker,
/// and whether there is a webhook.
pub(super) type TakeReply = (String, Reply, String, String, String);

pub(super) async fn take(
    redis: &Redis,
    keys: &[&str; 4],
    request: &OwnershipRequest<'_>,
) -> Result<TakeReply, Error> {
    let owner = request.owner;
    let args = [
        request.channel_id.to_owned(),
        request.now.to_string(),
        owner.job.clone(),
        owner.fence.to_string(),
        owner.until.to_string(),
        request.latest.to_string(),
        request.token.to_owned(),
    ];
    TAKE.run(&**redis, keys, &args).await
}

#[derive(Serialize)]
pub(super) struct PauseRequest<'a> {
    pub now: i64,
    pub why: &'a str,
    pub wait: u64,
    pub token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<&'a str>,
    pub keep: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<u64>,
}

/// Returns the end of the pause and since when Discord has been unreachable.
pub(super) async fn pause(
    redis: &Redis,
    keys: &[&str],
    request: &PauseRequest<'_>,
) -> Result<(i64, i64), Error> {
    PAUSE.run(&**redis, keys, &[to_json(request)]).await
}

pub(super) async fn resume(
    redis: &Redis,
    keys: &[&str; 2],
    field: &str,
    why: &str,
) -> Result<bool, Error> {
    let args = [field.to_owned(), why.to_owned()];
    let resumed: i64 = RESUME.run(&**redis, keys, &args).await?;
    Ok(resumed == 1)
}

pub(super) async fn note(redis: &Redis, channels: &str, args: &[String]) -> Result<(), Error> {
    let _new: u64 = NOTE.run(&**redis, &[channels], args).await?;
    Ok(())
}

#[derive(Serialize)]
pub(super) struct RemoveRequest<'a> {
    pub guild: &'a str,
    pub members: &'a [&'a str],
    pub from: &'a str,
    pub to: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<&'a str>,
}

pub(super) async fn remove(
    redis: &Redis,
    keys: &[&str],
    request: &RemoveRequest<'_>,
) -> Result<u64, Error> {
    REMOVE.run(&**redis, keys, &[to_json(request)]).await
}

#[derive(Serialize)]
pub(super) struct ProbeRequest<'a> {
    pub members: Vec<&'a str>,
    pub min: u64,
}

/// Returns how many were stored and how many turned out to be too short.
pub(super) async fn probe(
    redis: &Redis,
    keys: &[&str],
    request: &ProbeRequest<'_>,
    found: Vec<String>,
) -> Result<(u64, u64), Error> {
    let args: Vec<String> = std::iter::once(to_json(request)).chain(found).collect();
    PROBE.run(&**redis, keys, &args).await
}

pub(super) fn add_save(
    pipeline: &mut Pipeline,
    keys: &[String],
    request: &SaveRequest<'_>,
    records: Vec<String>,
) -> Slot<SavedPage> {
    let args: Vec<String> = std::iter::once(to_json(request)).chain(records).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    pipeline.add_script(&SAVE, &keys, &args)
}

/// The key of a command.
pub(super) fn key_of(command: &RawCommand) -> Option<&String> {
    command.words.get(1)
}

/// An attempt that requests the ownership of a channel.
#[derive(Debug)]
pub struct OwnershipRequest<'a> {
    pub guild_id: &'a str,
    pub channel_id: &'a str,
    pub owner: &'a Owner,
    /// Unix milliseconds.
    pub now: i64,
    /// Until when the caller can wait for the channel's next page, in Unix milliseconds.
    pub latest: i64,
    /// The fingerprint of the token used for Discord.
    pub token: &'a str,
}

/// The result of saving a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    Yes,
    /// The page was saved before; nothing was counted again.
    Duplicate,
    /// Another attempt owns the channel: nothing was saved.
    Superseded,
}

/// The outcome of saving a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedPage {
    pub saved: Saved,
    /// Clips that the job has found so far.
    pub found: u64,
    /// The values of `PageSave::watch`, followed by the time until which the pace is used
    /// up.
    pub watched: Vec<String>,
    /// For a page of single messages that was saved before, the `progress` sent then.
    pub before: String,
}

impl FromReply for SavedPage {
    fn from_reply(reply: Reply) -> Result<SavedPage, Error> {
        // The second value is the number of new clips.
        let (word, _, found, watched, before) =
            <(String, u64, u64, Vec<String>, String)>::from_reply(reply)?;
        Ok(SavedPage {
            saved: match word.as_str() {
                "saved" => Saved::Yes,
                "dup" => Saved::Duplicate,
                _ => Saved::Superseded,
            },
            found,
            watched,
            before,
        })
    }
}
