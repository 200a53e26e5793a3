//! `GET /api/guilds`: the guilds that the bot is in.

use schemars::JsonSchema;
use serde::Serialize;
use shared::cache::{self, Entry};
use shared::discord;
use shared::http::{ApiError, Context, Reply, Spec};
use shared::openapi::Operation;

use crate::State;
use crate::discord::Guild;

pub const LIST: Spec = Spec::get("/api/guilds", "listGuilds", "List the bot's guilds");

/// The guilds that the bot is in.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "GuildList")]
struct Guilds {
    /// The guilds, by id.
    guilds: Vec<Guild>,
}

pub fn operations() -> Vec<Operation> {
    vec![
        LIST.operation()
            .describe("Lists the guilds that the bot is in, as Discord had them at most ten minutes ago. There are no pages.")
            .reply::<Guilds>(200, "The guilds that the bot is in."),
    ]
}

pub async fn list(cx: Context<State>) -> Result<Reply, ApiError> {
    let discord = &cx.state.discord;
    let load = || async {
        let found = discord.guilds().await?.into_iter().map(|guild| Guild {
            id: guild.id,
            name: guild.name,
            icon: guild.icon,
        });
        Ok::<_, discord::Error>(Some(found.collect::<Vec<Guild>>()))
    };
    // Another bot is in other guilds.
    let entry = Entry::new(&cache::GUILDS, &discord.token_mark());
    let guilds = cx.cache().get_or_load(&entry, load).await?;
    Ok(Reply::ok(&Guilds {
        guilds: guilds.unwrap_or_default(),
    }))
}
