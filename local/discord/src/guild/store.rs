//! Stores channels, messages and uploaded files in memory.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::attachment::AttachmentSpec;
use super::channel::{Channel, ChannelSpec};
use super::message::{HAS_SNAPSHOT, MessageSpec};
use super::permissions::{EVERYONE, Role};
use crate::file::File;
use crate::snowflake;

/// The time of the first message in a channel with a made-up ID: 2025-01-01.
const FIRST_MESSAGE_MS: i64 = 1_735_689_600_000;
const STEP_MS: i64 = 60_000;

/// A guild and everything in it.
#[derive(Clone, Debug)]
pub struct Guild {
    pub id: u64,
    pub name: String,
    /// Whether the bot has MANAGE_THREADS, which is needed to list private archived
    /// threads.
    pub can_manage_threads: bool,
    /// The permissions of the role that everyone has.
    pub everyone: u64,
    /// The other roles.
    pub roles: Vec<Role>,
    /// The IDs of the bot's roles.
    pub bot_roles: Vec<u64>,
    /// Other guilds that the bot is in, by ID and name. Nothing in them is served.
    pub also_in: Vec<(u64, String)>,
    pub(super) channels: BTreeMap<u64, Channel>,
    pub(super) files: HashMap<u64, File>,
}

impl Guild {
    /// A guild without channels.
    pub fn empty(id: u64) -> Self {
        Self {
            id,
            name: "Small Guild".to_owned(),
            can_manage_threads: true,
            everyone: EVERYONE,
            roles: Vec::new(),
            bot_roles: Vec::new(),
            also_in: Vec::new(),
            channels: BTreeMap::new(),
            files: HashMap::new(),
        }
    }

    /// Adds a channel, replacing one with the same ID.
    #[must_use]
    pub fn channel(mut self, spec: ChannelSpec) -> Self {
        self.add_channel(spec);
        self
    }

    /// Adds a message, see [`Guild::add_message`].
    #[must_use]
    pub fn message(mut self, channel_id: u64, spec: MessageSpec) -> Self {
        self.add_message(channel_id, spec);
        self
    }

    /// Adds a channel, replacing one with the same ID. A thread becomes the
    /// `last_message_id` of its forum, as on Discord.
    pub fn add_channel(&mut self, spec: ChannelSpec) {
        let parent = spec.parent_id.and_then(|id| self.channels.get_mut(&id));
        if let Some(parent) = parent.filter(|parent| parent.is_thread_only()) {
            parent.last_message_id = parent.last_message_id.max(Some(spec.id));
        }
        self.channels.insert(spec.id, Channel::new(spec));
    }

    /// Adds a text channel the bot can read.
    pub fn add_text_channel(&mut self, id: u64, name: &str) {
        self.add_channel(ChannelSpec::text(id, name));
    }

    /// Adds a message and returns its ID. Its files are stored on the CDN. If the ID is
    /// taken, the next free one is used.
    ///
    /// # Panics
    /// If the channel does not exist.
    pub fn add_message(&mut self, channel_id: u64, spec: MessageSpec) -> u64 {
        let channel = self
            .channels
            .get_mut(&channel_id)
            .expect("the channel exists before its messages are added");
        let newest_ms = channel.messages.last_key_value().map_or(
            FIRST_MESSAGE_MS.max(snowflake::ms_of(channel_id)),
            |(id, _)| snowflake::ms_of(*id),
        );
        let mut id = spec
            .id
            .unwrap_or_else(|| snowflake::at_ms(spec.at_ms.unwrap_or(newest_ms + STEP_MS)));
        while channel.messages.contains_key(&id) {
            id += 1;
        }

        let files = &mut self.files;
        let mut upload = |attachment: &AttachmentSpec| {
            // Sets the bits that Discord uses for worker and process, so that these IDs
            // differ from message IDs created in the same millisecond.
            let mut attachment_id = id + 4096;
            while files.contains_key(&attachment_id) {
                attachment_id += 4096;
            }
            let file = attachment.upload(attachment_id, channel_id, id);
            files.insert(attachment_id, file.clone());
            file
        };
        let body = spec.to_json(id, channel_id, &mut upload);
        channel.messages.insert(id, body);
        channel.last_message_id = channel.last_message_id.max(Some(id));
        channel.total_message_sent += 1;
        id
    }

    /// Adds `n` messages, the i-th created by `spec(i)`, and returns their IDs in
    /// chronological order.
    pub fn fill(
        &mut self,
        channel_id: u64,
        n: usize,
        mut spec: impl FnMut(usize) -> MessageSpec,
    ) -> Vec<u64> {
        (0..n)
            .map(|index| self.add_message(channel_id, spec(index)))
            .collect()
    }

    /// A forward of a message of this guild, or `None` if there is no such message.
    pub fn forward(&self, channel_id: u64, message_id: u64) -> Option<MessageSpec> {
        let original = self.message_json(channel_id, message_id)?;
        let mut snapshot = serde_json::Map::new();
        for key in [
            "type",
            "content",
            "embeds",
            "attachments",
            "timestamp",
            "edited_timestamp",
            "flags",
            "mentions",
            "mention_roles",
            "components",
        ] {
            snapshot.insert(key.to_owned(), original[key].clone());
        }
        let spec = MessageSpec::default()
            .flags(HAS_SNAPSHOT)
            .set(
                "message_reference",
                self.reference(1, channel_id, message_id),
            )
            .set("message_snapshots", json!([{ "message": snapshot }]));
        Some(spec)
    }

    /// A reply to a message of this guild, or `None` if there is no such message.
    pub fn reply(&self, channel_id: u64, message_id: u64, content: &str) -> Option<MessageSpec> {
        let original = self.message_json(channel_id, message_id)?.clone();
        let spec = MessageSpec::text(content)
            .kind(19)
            .set(
                "message_reference",
                self.reference(0, channel_id, message_id),
            )
            .set("referenced_message", original);
        Some(spec)
    }

    /// Modifies a stored message, as an edit does. Returns false if there is no such
    /// message.
    pub fn edit_message(
        &mut self,
        channel_id: u64,
        message_id: u64,
        edit: impl FnOnce(&mut Value),
    ) -> bool {
        let channel = self.channels.get_mut(&channel_id);
        let message = channel.and_then(|channel| channel.messages.get_mut(&message_id));
        message.map(edit).is_some()
    }

    /// Deletes a message and its files. Returns false if there is no such message.
    pub fn delete_message(&mut self, channel_id: u64, message_id: u64) -> bool {
        let Some(channel) = self.channels.get_mut(&channel_id) else {
            return false;
        };
        let deleted = channel.messages.remove(&message_id).is_some();
        if deleted {
            self.files
                .retain(|_, file| (file.channel_id, file.message_id) != (channel_id, message_id));
        }
        deleted
    }

    fn reference(&self, kind: u64, channel_id: u64, message_id: u64) -> Value {
        json!({
            "type": kind,
            "guild_id": self.id.to_string(),
            "channel_id": channel_id.to_string(),
            "message_id": message_id.to_string(),
        })
    }
}
