//! `GET /api/guilds/{guildId}/channels`: the channels and threads of a guild, which of them
//! the bot may read, and how their scans stand.
//!
//! Discord's part is cached. It and the scan statuses are read in one request.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::join;
use schemars::JsonSchema;
use serde::Serialize;
use shared::cache::{self, Entry};
use shared::discord::MessageId;
use shared::guild::{ChannelKind, GuildView, SeenChannel};
use shared::http::{ApiError, Context, Reply, Spec};
use shared::jobs::ChannelScan;
use shared::openapi::Operation;
use shared::redis::{AutoPipeline, Redis};
use shared::scan::{ChannelStatus, ScanStatus};

use crate::State;
use crate::discord::{OneGuild, unknown_guild, visible};

pub const LIST: Spec<OneGuild> = Spec::get(
    "/api/guilds/{guildId}/channels",
    "listChannels",
    "List a guild's channels",
);

/// The channels and threads of a guild.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ChannelList")]
struct Channels {
    /// The channels in Discord's order, also those that the bot cannot see; then the active
    /// threads; then the archived threads that a scan has found.
    channels: Vec<Listed>,
}

/// A channel or thread, and what Trawl can do with it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ListedChannel")]
struct Listed {
    /// The id of the channel or thread.
    id: MessageId,
    /// Its name.
    name: Option<String>,
    /// What it is.
    kind: ChannelKind,
    /// Its type, as Discord numbers them. `null` for a thread that only its scans know.
    #[serde(rename = "type")]
    number: Option<u64>,
    /// For a thread, the channel it is in; for a channel, its category.
    parent_id: Option<String>,
    /// Whether it is an archived thread.
    archived: bool,
    /// The id of the newest message in it; in a forum or media channel, of its newest
    /// thread.
    last_message_id: Option<MessageId>,
    /// Whether the bot's permissions let it read the messages, or in a forum or media
    /// channel the threads. `null` for a thread that only its scans know.
    readable: Option<bool>,
    /// Why the bot may not read it, for programs.
    unreadable_code: Option<&'static str>,
    /// Why the bot may not read it, in a sentence for people.
    unreadable_reason: Option<&'static str>,
    /// How its latest scan stands. `null` if it was never scanned.
    scan: Option<ListedScan>,
}

/// How the latest scan of a channel stands.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ListedScan {
    /// The status of the latest scan. `null` if only single messages were read.
    status: Option<ScanStatus>,
    /// How many messages with clips are known.
    messages_with_clips: u64,
    /// How many messages all scans of the channel have read.
    messages_scanned: u64,
    /// Whether the channel's beginning was reached.
    reached_start: bool,
    /// Why the latest scan failed, for programs.
    error_code: Option<String>,
    /// Why the latest scan failed, in a sentence for people.
    error_message: Option<String>,
    /// When any of this last changed, in unix milliseconds.
    updated_at: Option<i64>,
}

pub fn operations() -> Vec<Operation> {
    vec![
        LIST.operation()
            .describe("Lists the channels and threads of a guild as Discord had them at most ten minutes ago, whether the bot's permissions let it read each, and how the latest scan of each stands. Archived threads are listed once a scan has found them. 404 if there is no such guild or the bot is not in it. There are no pages.")
            .reply::<Channels>(200, "The channels and threads.")
            .problems(&[404]),
    ]
}

pub async fn list(cx: Context<State, OneGuild>) -> Result<Reply, ApiError> {
    let guild = cx.path.guild_id.as_str();
    let together: Redis = Arc::new(AutoPipeline::new(cx.redis().clone()));
    let (cache, queue) = (cx.cache().on(&together), cx.queue().on(&together));
    let entry = Entry::new(&cache::CHANNELS, guild).under(guild);
    let load = || async { visible(GuildView::load(&cx.state.discord, guild).await) };
    let records = cx.store().keys().channels(guild);
    let forms = ChannelScan::unique_forms(guild);
    let forms: Vec<&str> = forms.iter().map(String::as_str).collect();
    let (view, followed) = join(
        cache.get_or_load(&entry, load),
        queue.read_referenced(&records, None, &forms),
    )
    .await;
    let view = view?.ok_or_else(unknown_guild)?;
    let statuses = followed?;
    let statuses = statuses
        .iter()
        .map(|followed| ChannelStatus::of(guild, followed));
    Ok(Reply::ok(&Channels {
        channels: listed(view, statuses.collect()),
    }))
}

fn listed(view: GuildView, statuses: Vec<ChannelStatus>) -> Vec<Listed> {
    let known: BTreeSet<MessageId> = view.channels.iter().map(|channel| channel.id).collect();
    let (mut seen, mut others) = (BTreeMap::new(), Vec::new());
    for status in statuses {
        match MessageId::parse(&status.channel_id) {
            Some(id) if known.contains(&id) => {
                seen.insert(id, status);
            }
            // A channel that is not listed any more was deleted. A thread was archived, or
            // its channel was deleted.
            Some(id) if status.parent_id.is_some() => others.push((id, status)),
            _ => {}
        }
    }
    let is_known = |parent: &Option<String>| {
        let parent = parent.as_deref().and_then(MessageId::parse);
        parent.is_some_and(|parent| known.contains(&parent))
    };
    others.retain(|(_, status)| is_known(&status.parent_id));
    others.sort_by_key(|(id, status)| (status.parent_id.clone(), *id));
    let shown = view.channels.into_iter().map(|channel| {
        let status = seen.remove(&channel.id);
        of_discord(channel, status)
    });
    let archived = others.into_iter().map(|(id, status)| Listed {
        id,
        name: status.channel_name.clone(),
        kind: ChannelKind::Thread,
        number: None,
        parent_id: status.parent_id.clone(),
        archived: true,
        last_message_id: None,
        readable: None,
        unreadable_code: None,
        unreadable_reason: None,
        scan: Some(ListedScan::from(status)),
    });
    shown.chain(archived).collect()
}

fn of_discord(channel: SeenChannel, status: Option<ChannelStatus>) -> Listed {
    Listed {
        kind: channel.kind(),
        id: channel.id,
        name: channel.name,
        number: channel.number,
        parent_id: channel.parent_id,
        archived: channel.archived,
        last_message_id: channel.last_message_id,
        readable: Some(channel.unreadable.is_none()),
        unreadable_code: channel.unreadable.map(|why| why.code()),
        unreadable_reason: channel.unreadable.map(|why| why.message()),
        scan: status.map(ListedScan::from),
    }
}

impl From<ChannelStatus> for ListedScan {
    fn from(status: ChannelStatus) -> ListedScan {
        ListedScan {
            status: status.status,
            messages_with_clips: status.messages_with_clips,
            messages_scanned: status.messages_scanned,
            reached_start: status.reached_start,
            error_code: status.error_code,
            error_message: status.error_message,
            updated_at: status.updated_at,
        }
    }
}
