//! The routes as callers see them.

use shared::http::{Access, Method};
use shared::openapi::Operation;
use shared::scan::GuildSettings;

use crate::discord::{Channel, Guild};
use crate::wanted::{Changes, Wanted};

/// One for each route.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            Method::GET,
            "/api/guilds/{guildId}",
            Access::Api,
            "getGuild",
            "A guild.",
        )
        .reply::<Guild>(200, "As Discord had it at most ten minutes ago.")
        .problems(&[404]),
        Operation::new(
            Method::GET,
            "/api/guilds/{guildId}/channels/{channelId}",
            Access::Api,
            "getChannel",
            "A channel.",
        )
        .reply::<Channel>(200, "As Discord had it at most fifteen minutes ago.")
        .problems(&[404]),
        Operation::new(
            Method::DELETE,
            "/api/guilds/{guildId}/cache",
            Access::Admin,
            "forgetGuild",
            "Forgets what is cached of a guild.",
        )
        .empty(204, "Forgotten."),
        Operation::new(
            Method::GET,
            "/api/guilds/{guildId}/settings",
            Access::Api,
            "getSettings",
            "What scans of a guild go by.",
        )
        .reply::<GuildSettings>(200, "The settings.")
        .problems(&[404]),
        Operation::new(
            Method::PUT,
            "/api/guilds/{guildId}/settings",
            Access::Api,
            "putSettings",
            "Sets all settings of a guild; what is left out is the default again.",
        )
        .conditional()
        .body::<Wanted>()
        .reply::<GuildSettings>(200, "As they are now.")
        .problems(&[404]),
        Operation::new(
            Method::PATCH,
            "/api/guilds/{guildId}/settings",
            Access::Api,
            "patchSettings",
            "Changes some settings of a guild; what is left out stays, `null` is the default again.",
        )
        .conditional()
        .body::<Changes>()
        .reply::<GuildSettings>(200, "As they are now.")
        .problems(&[404, 409]),
    ]
}
