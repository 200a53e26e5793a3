//! The routes as callers see them.

use crate::status::ChannelStatus;
use crate::statuses::Statuses;
use shared::http::{Access, Method};
use shared::openapi::Operation;

/// One for each route.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            Method::GET,
            "/api/guilds/{guildId}/scan-statuses",
            Access::Api,
            "scanStatuses",
            "How the scans of a guild's channels stand.",
        )
        .reply::<Statuses>(200, "The channels that were ever scanned."),
        Operation::new(
            Method::GET,
            "/api/guilds/{guildId}/channels/{channelId}/scan-status",
            Access::Api,
            "scanStatus",
            "How the scan of a channel stands.",
        )
        .reply::<ChannelStatus>(200, "`status` is null when it was never scanned."),
    ]
}
