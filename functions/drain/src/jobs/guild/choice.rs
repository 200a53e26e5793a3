//! Which channels of a guild are scanned, and why others are not. Without I/O.

use std::collections::BTreeMap;

use shared::discord::ArchivedList;
use shared::guild::{ChannelKind, GuildView, SeenChannel};
use shared::jobs::{GuildScan, ScanMode};
use shared::scan::{GuildSettings, IncludeThreads, Planned, Unlisted};

/// What was chosen.
#[derive(Debug, Default)]
pub struct Chosen<'a> {
    /// The channels and active threads to scan.
    pub scanned: Vec<&'a SeenChannel>,
    /// Those that cannot be scanned, or that the settings exclude.
    pub left_out: Vec<(String, Planned)>,
    /// The channels whose archived threads are to be asked for.
    pub unlisted: Vec<Unlisted>,
}

/// Whether a scan reads everything, so that a later one need not look at it again.
pub fn is_complete(scan: &GuildScan) -> bool {
    scan.mode() == ScanMode::Forward && scan.options.max_messages.is_none()
}

/// Which threads a guild scan includes.
fn threads(scan: &GuildScan, settings: &GuildSettings) -> IncludeThreads {
    match settings.include_threads {
        // Scans of threads would end as cancelled.
        IncludeThreads::None => IncludeThreads::None,
        usual => scan.options.include_threads.unwrap_or(usual),
    }
}

/// Chooses from a guild's channels and active threads.
pub fn choose<'a>(view: &'a GuildView, scan: &GuildScan, settings: &GuildSettings) -> Chosen<'a> {
    let threads = threads(scan, settings);
    let parents: BTreeMap<String, Option<&str>> = view
        .channels
        .iter()
        .map(|channel| (channel.id.to_string(), channel.parent_id.as_deref()))
        .collect();
    let mut chosen = Chosen::default();
    for channel in &view.channels {
        let id = channel.id.to_string();
        let parent = channel.parent_id.as_deref();
        let grandparent = parent.and_then(|parent| parents.get(parent).copied().flatten());
        let lineage = [Some(id.as_str()), parent, grandparent];
        let kind = channel.kind();
        let is_thread = kind == ChannelKind::Thread;
        if !is_named(scan, &lineage) || (is_thread && threads == IncludeThreads::None) {
            continue;
        }
        // Without its own messages: only its threads are wanted.
        let is_parent = scan.threads_of.as_deref() == Some(&id);
        if scan.threads_of.is_some() && !is_parent && scan.threads_of.as_deref() != parent {
            continue;
        }
        if !kind.has_messages() && !kind.has_threads() {
            continue;
        }
        let excludes = |id: &str| settings.leaves_out(id);
        if excludes(&id) || (is_thread && parent.is_some_and(excludes)) {
            let why = "the guild's settings exclude this channel";
            chosen.leave_out(channel, "channel_excluded", why);
            continue;
        }
        if let Some(why) = channel.unreadable {
            chosen.leave_out(channel, why.code(), why.message());
            continue;
        }
        if kind.has_messages() && !is_parent {
            chosen.scanned.push(channel);
        } else if !is_parent && threads == IncludeThreads::None {
            let why = "this channel has only threads, and the scan includes none";
            chosen.leave_out(channel, "channel_unsupported", why);
        }
        if kind.has_threads() && threads == IncludeThreads::All {
            chosen.unlisted.push(Unlisted {
                lists: lists(channel),
                id,
            });
        }
    }
    // What was asked for by name and is not there.
    for id in scan.channels.include.iter() {
        if !parents.contains_key(id) {
            let planned = Planned {
                error_code: Some("channel_not_found".to_owned()),
                error_message: Some(
                    "the guild has no such channel, category or active thread".to_owned(),
                ),
                ..planned(ChannelKind::Other, None, None)
            };
            chosen.left_out.push((id.clone(), planned));
        }
    }
    chosen
}

impl Chosen<'_> {
    fn leave_out(&mut self, channel: &SeenChannel, code: &str, message: &str) {
        let planned = Planned {
            error_code: Some(code.to_owned()),
            error_message: Some(message.to_owned()),
            ..planned(
                channel.kind(),
                channel.name.clone(),
                channel.parent_id.clone(),
            )
        };
        self.left_out.push((channel.id.to_string(), planned));
    }
}

/// Whether a channel with these ancestors is among those that the scan names.
fn is_named(scan: &GuildScan, lineage: &[Option<&str>]) -> bool {
    let has = |list: &[String]| {
        let mut lineage = lineage.iter().flatten();
        lineage.any(|id| list.iter().any(|listed| listed == id))
    };
    let channels = &scan.channels;
    (channels.include.is_empty() || has(&channels.include)) && !has(&channels.exclude)
}

/// The lists of archived threads that Discord has of a channel and that the bot may ask for.
fn lists(channel: &SeenChannel) -> Vec<ArchivedList> {
    let private = match channel.manages_threads {
        true => ArchivedList::Private,
        false => ArchivedList::Joined,
    };
    match channel.kind() {
        ChannelKind::Text => vec![ArchivedList::Public, private],
        // Only text channels have private threads.
        _ => vec![ArchivedList::Public],
    }
}

/// A channel without a job.
pub fn planned(kind: ChannelKind, name: Option<String>, parent_id: Option<String>) -> Planned {
    Planned {
        name,
        kind,
        parent_id,
        job: None,
        shared: false,
        stored: false,
        status: None,
        error_code: None,
        error_message: None,
        messages_scanned: 0,
        clips_found: 0,
    }
}
