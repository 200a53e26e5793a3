//! In which channels and threads of a guild a scheduled scan would find something.
//!
//! A schedule asks before it stores a job, and the job asks once more, because the lists that
//! it reads are newer.

use std::collections::{BTreeMap, BTreeSet};

use shared::discord::MessageId;
use shared::guild::{GuildView, SeenChannel};
use shared::jobs::GuildScan;
use shared::redis;
use shared::scan::{Channel, GuildSettings, ScanStore, ThreadsSeen};
use shared::schedules::{has_news, is_hopeless};

use super::choice::{choose, is_complete};

/// Whether a scan would find nothing new in a channel with this record and newest message.
pub fn is_unchanged(
    scan: &GuildScan,
    record: Option<&Channel>,
    newest: Option<MessageId>,
    now: i64,
) -> bool {
    let is_limited = scan.options.max_messages.is_some();
    let is_left_alone = scan.scheduled && is_hopeless(record, now);
    is_left_alone || !has_news(record, newest, is_limited)
}

/// Whether a channel may have archived threads that were not listed yet, although nothing new
/// is known of it. `seen` says how far they were listed.
pub fn has_unlisted(scan: &GuildScan, channel: &SeenChannel, seen: Option<&ThreadsSeen>) -> bool {
    match seen {
        // Only a complete scan remembers that it listed them. A channel for threads only
        // names its newest thread here, which may be archived by now.
        None => is_complete(scan) || !channel.kind().has_messages(),
        Some(seen) => channel
            .last_message_id
            .is_some_and(|newest| newest.created_ms() > seen.at),
    }
}

/// Whether a scheduled scan would find something. One command, and one more if `is_first` or
/// if a forum's newest thread is neither active nor known.
///
/// # Errors
/// If Redis cannot be reached.
pub async fn has_any(
    store: &ScanStore,
    view: &GuildView,
    scan: &GuildScan,
    settings: &GuildSettings,
    is_first: bool,
    now: i64,
) -> Result<bool, redis::Error> {
    let chosen = choose(view, scan, settings);
    let by_id: BTreeMap<String, &SeenChannel> = view
        .channels
        .iter()
        .map(|channel| (channel.id.to_string(), channel))
        .collect();
    let active: BTreeSet<MessageId> = view.channels.iter().map(|channel| channel.id).collect();
    let parents = chosen.unlisted.iter();
    let parents: Vec<&SeenChannel> = parents
        .filter_map(|parent| by_id.get(&parent.id).copied())
        .collect();
    let forums = parents
        .iter()
        .filter(|parent| !parent.kind().has_messages());
    let archived: Vec<(&SeenChannel, MessageId)> = forums
        .filter_map(|forum| Some((*forum, forum.last_message_id?)))
        .filter(|(_, newest)| !active.contains(newest))
        .collect();
    let scanned = chosen.scanned.iter().map(|channel| channel.id);
    let ids: Vec<String> = scanned
        .chain(archived.iter().map(|(_, thread)| *thread))
        .map(|id| id.to_string())
        .collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let guild = &scan.guild_id;
    let records = store.records_of(guild, &ids).await?;
    let (own, of_archived) = records.split_at(chosen.scanned.len().min(records.len()));
    let mut own = chosen.scanned.iter().zip(own);
    if own
        .any(|(channel, record)| !is_unchanged(scan, record.as_ref(), channel.last_message_id, now))
    {
        return Ok(true);
    }
    let unknown = archived.iter().zip(of_archived);
    let unknown = unknown.filter(|(_, record)| record.is_none());
    let unknown: Vec<&SeenChannel> = unknown.map(|((forum, _), _)| *forum).collect();
    let in_doubt = match is_first {
        true => parents,
        false => unknown,
    };
    if in_doubt.is_empty() {
        return Ok(false);
    }
    let seen = store.threads_seen(guild).await?;
    Ok(in_doubt
        .into_iter()
        .any(|parent| has_unlisted(scan, parent, seen.get(&parent.id.to_string()))))
}
