//! The groups of operations, in the order of the document.

use serde_json::{Value, json};

/// A group of operations.
pub struct Tag {
    pub(super) name: &'static str,
    description: &'static str,
}

/// Asking for scans and following them.
pub static SCANS: Tag = Tag {
    name: "Scans",
    description: "Scan a channel for clips and follow the scan while it runs. A scan is a job: its `scanId` equals its `jobId`.",
};

/// Jobs of any type.
pub static JOBS: Tag = Tag {
    name: "Jobs",
    description: "Create jobs of any type, list them, cancel them and retry the ones that failed.",
};

/// What scans found.
pub static CLIPS: Tag = Tag {
    name: "Clips",
    description: "List the clips that scans found, and remove them.",
};

/// Guilds and channels.
pub static GUILDS: Tag = Tag {
    name: "Guilds",
    description: "Read guilds and channels as Discord has them, and change a guild's settings.",
};

/// Files in parts.
pub static UPLOADS: Tag = Tag {
    name: "Uploads",
    description: "Upload a file of DiscordChatExporter in parts, and scan it without a bot.",
};

/// Signing in and out.
pub static SESSIONS: Tag = Tag {
    name: "Sessions",
    description: "Exchange a key for a session cookie, so that a browser need not keep the key.",
};

/// Whether the system works.
pub static HEALTH: Tag = Tag {
    name: "Health",
    description: "Check whether the database answers.",
};

/// What needs the admin key.
pub static ADMINISTRATION: Tag = Tag {
    name: "Administration",
    description: "Watch the database and the queues, pause and resume work, and set flags. These operations need the admin key.",
};

static ALL: [&Tag; 8] = [
    &SCANS,
    &JOBS,
    &CLIPS,
    &GUILDS,
    &UPLOADS,
    &SESSIONS,
    &HEALTH,
    &ADMINISTRATION,
];

/// The groups, as the document lists them.
pub(super) fn tags() -> Value {
    let tags = ALL.iter();
    tags.map(|tag| json!({ "name": tag.name, "description": tag.description }))
        .collect()
}
