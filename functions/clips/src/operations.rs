//! The routes as callers see them.

use serde_json::json;
use shared::http::{Access, Method};
use shared::openapi::Operation;

use crate::list::Page;

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
            "Only at least so long; those of unknown length are left out.",
            json!({ "type": "number", "minimum": 0, "maximum": 86_400 }),
        )
        .paged(20, 100)
        .reply::<Page>(200, "A page."),
    ]
}
