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
            json!({ "type": "string", "pattern": "^[0-9]{15,19}$" }),
        )
        .query(
            "after",
            "Only posted after, unix milliseconds.",
            json!({ "type": "integer", "minimum": 0, "maximum": 9_007_199_254_740_991_i64 }),
        )
        .query(
            "before",
            "Only posted before, unix milliseconds.",
            json!({ "type": "integer", "minimum": 0, "maximum": 9_007_199_254_740_991_i64 }),
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
