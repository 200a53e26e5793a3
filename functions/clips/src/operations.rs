//! The routes as callers see them.

use serde_json::json;
use shared::http::{Access, Method};
use shared::openapi::Operation;

use crate::list::Page;
use crate::remove::Removed;

fn of_id() -> serde_json::Value {
    json!({ "type": "string", "pattern": "^[0-9]{15,20}$" })
}

/// One for each route.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            Method::GET,
            "/api/guilds/{guildId}/clips",
            Access::Api,
            "listClips",
            "The clips of a guild, newest first.",
        )
        .query(
            "channelId",
            "Only of this channel.",
            json!({ "type": "string", "pattern": "^[1-9][0-9]{14,18}$" }),
        )
        .query(
            "after",
            "Only posted after this time: unix milliseconds or RFC 3339.",
            json!({ "type": "integer", "minimum": 1_000_000_000_000_i64, "maximum": 9_007_199_254_740_991_i64 }),
        )
        .query(
            "before",
            "Only posted before this time: unix milliseconds or RFC 3339.",
            json!({ "type": "integer", "minimum": 1_000_000_000_000_i64, "maximum": 9_007_199_254_740_991_i64 }),
        )
        .query(
            "minSeconds",
            "Only at least so long; those of unknown length are kept, since nobody can tell.",
            json!({ "type": "number", "minimum": 0, "maximum": 86_400 }),
        )
        .query(
            "unknownLength",
            "What becomes of clips of unknown length.",
            json!({ "type": "string", "enum": ["keep", "omit"], "default": "keep" }),
        )
        .paged(20, 100)
        .reply::<Page>(200, "A page."),
        Operation::new(
            Method::DELETE,
            "/api/guilds/{guildId}/clips",
            Access::Api,
            "removeClips",
            "Removes the clips of a channel, a message or an author, for good: reading them again does not bring them back. A request does a bounded part of it.",
        )
        .query("channelId", "Those of this channel; with `messageId`, the channel it is in.", of_id())
        .query("messageId", "Those of this message.", of_id())
        .query("authorId", "Those of messages this user wrote.", of_id())
        .query(
            "cursor",
            "The `cursor` of the last reply, to go on.",
            json!({ "type": "string" }),
        )
        .reply::<Removed>(200, "How many were removed, and whether there may be more."),
        Operation::new(
            Method::DELETE,
            "/api/guilds/{guildId}/clips/{clipId}",
            Access::Api,
            "removeClip",
            "Removes a clip of a message, for good.",
        )
        .required_query("messageId", "The message it is in.", of_id())
        .query("channelId", "The channel that is in.", of_id())
        .reply::<Removed>(200, "It is not listed."),
    ]
}
