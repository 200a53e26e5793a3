//! Reads a guild, including what a scanner must find in it.

use serde_json::Value;

use super::channel::Channel;
use super::clips::{self, Clip};
use super::store::Guild;
use crate::file::File;

impl Guild {
    /// Channels and threads in order of id.
    pub fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.channels.values()
    }

    pub fn find_channel(&self, channel_id: u64) -> Option<&Channel> {
        self.channels.get(&channel_id)
    }

    pub fn find_file(&self, attachment_id: u64) -> Option<&File> {
        self.files.get(&attachment_id)
    }

    /// A message as stored, with file locations instead of signed URLs.
    pub fn message_json(&self, channel_id: u64, message_id: u64) -> Option<&Value> {
        self.channels.get(&channel_id)?.messages.get(&message_id)
    }

    /// The number of messages in a channel, or 0 if there is no such channel.
    pub fn message_count(&self, channel_id: u64) -> usize {
        self.messages(channel_id).count()
    }

    /// A channel's message ids, oldest first.
    pub fn message_ids(&self, channel_id: u64) -> Vec<u64> {
        self.messages(channel_id).map(|(id, _)| *id).collect()
    }

    /// A channel's uploaded videos, oldest message first: attachments, attachments in the
    /// snapshots of forwards, and videos shown by components.
    pub fn clips(&self, channel_id: u64) -> Vec<Clip> {
        self.messages(channel_id)
            .flat_map(|(message_id, body)| {
                clips::uploaded(body)
                    .into_iter()
                    .map(|(attachment_id, place)| Clip {
                        message_id: *message_id,
                        attachment_id,
                        place,
                        duration_ms: self.find_file(attachment_id).and_then(|f| f.duration_ms),
                    })
            })
            .collect()
    }

    /// The ids of the messages with at least one of [`Guild::clips`], oldest first.
    pub fn clip_message_ids(&self, channel_id: u64) -> Vec<u64> {
        let mut ids: Vec<u64> = self
            .clips(channel_id)
            .iter()
            .map(|clip| clip.message_id)
            .collect();
        ids.dedup();
        ids
    }

    /// The IDs of the messages that show external videos, oldest first: embeds with a
    /// `video` other than `gifv`, and linked media in components.
    pub fn external_clip_message_ids(&self, channel_id: u64) -> Vec<u64> {
        self.messages(channel_id)
            .filter(|(_, body)| clips::external(body) > 0)
            .map(|(id, _)| *id)
            .collect()
    }

    /// The number of external videos in a channel.
    pub fn external_clip_count(&self, channel_id: u64) -> usize {
        self.messages(channel_id)
            .map(|(_, body)| clips::external(body))
            .sum()
    }

    fn messages(&self, channel_id: u64) -> impl Iterator<Item = (&u64, &Value)> {
        self.channels
            .get(&channel_id)
            .into_iter()
            .flat_map(|channel| &channel.messages)
    }
}
