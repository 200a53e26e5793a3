//! `GET`, `PUT` and `DELETE /api/guilds/{guildId}/notices`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::http::{ApiError, Context, FieldCode, FieldError, Reply, Spec, StatusCode};
use shared::notices::{Topic, Webhook, WebhookKind, new_secret};
use shared::openapi::Operation;
use shared::session;

use crate::State;
use crate::discord::{OneGuild, is_visible, unknown_guild};

const PATH: &str = "/api/guilds/{guildId}/notices";

pub const READ: Spec<OneGuild> = Spec::get(PATH, "getNotices", "Get where notices are sent");

pub const WRITE: Spec<OneGuild> = Spec::put(PATH, "putNotices", "Send notices to a webhook");

pub const REMOVE: Spec<OneGuild> = Spec::delete(PATH, "endNotices", "Send no more notices");

/// The longest address, in bytes. Those of Discord have about 120.
const LONGEST: usize = 1000;

/// Where to send notices, and of what.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NoticesInput {
    /// The address, which begins with `https://` and is on the public internet: a webhook of
    /// Discord, or any other that takes JSON. It is never shown again.
    url: String,
    /// What to send. Defaults to everything.
    topics: Option<BTreeSet<Topic>>,
}

/// Where notices are sent. Without a webhook, every field but the id is `null`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct NoticesView {
    /// The id of the guild.
    guild_id: String,
    /// What kind of address it is.
    kind: Option<WebhookKind>,
    /// The host of the address. The rest is not shown, because whoever knows it may write
    /// there.
    host: Option<String>,
    /// What is sent.
    topics: Option<Vec<Topic>>,
    /// The key of the signature in `X-Trawl-Signature`. Only the reply to `PUT` has it, and
    /// only for an address that is not Discord's. Keep it; it is not shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// Since when it is as it is, in unix milliseconds.
    updated_at: Option<i64>,
}

pub fn operations() -> Vec<Operation> {
    vec![
        READ.operation().describe("Returns where the notices of a guild are sent. Neither the address nor the secret is shown. Without a webhook, every field but `guildId` is null.")
            .reply::<NoticesView>(200, "Where notices are sent."),
        WRITE.operation().describe("Has notices sent to a webhook when a scan has finished or failed, or when a scheduled scan has found clips: at most one notice a minute, which tells of all scans since the last one. A webhook of Discord gets a message. Any other address gets JSON with the header `X-Trawl-Signature: t=…,v1=…`, an HMAC-SHA256 of the time in seconds, a dot and the body. Each `PUT` makes a new secret.")
            .body::<NoticesInput>()
            .reply::<NoticesView>(200, "Where notices are sent, with the secret.")
            .problems(&[404]),
        REMOVE.operation().describe("Removes the webhook of a guild, and what was to be sent to it.").empty(204, "The guild has no webhook."),
    ]
}

pub async fn read(cx: Context<State, OneGuild>) -> Result<Reply, ApiError> {
    let guild = cx.path.guild_id.as_str();
    let found = cx.notices().webhook(guild).await?;
    Ok(Reply::ok(&shown(guild, found)))
}

pub async fn write(cx: Context<State, OneGuild>) -> Result<Reply, ApiError> {
    let input: NoticesInput = cx.json()?;
    let wrong = |detail: &str| FieldError::field("url", FieldCode::Invalid, detail.to_owned());
    if input.url.len() > LONGEST {
        return Err(wrong("expected at most 1000 bytes").into());
    }
    let url = cx.state.webhook_hosts.check(&input.url);
    let url = url.map_err(|refusal| wrong(&refusal.to_string()))?;
    let everything = || BTreeSet::from([Topic::ScanFinished, Topic::ScanFailed, Topic::NewClips]);
    let topics = input.topics.unwrap_or_else(everything);
    if topics.is_empty() {
        let detail = "expected at least one topic";
        return Err(FieldError::field("topics", FieldCode::OutOfRange, detail).into());
    }
    if !is_visible(&cx.state.discord, &cx.cache(), &cx.path.guild_id).await? {
        return Err(unknown_guild());
    }
    let secret = match Webhook::kind_of(&url) {
        WebhookKind::Discord => None,
        WebhookKind::Signed => Some(new_secret().ok_or(session::Error::NoRandomness)?),
    };
    let webhook = Webhook {
        url: url.to_string(),
        secret,
        topics: topics.into_iter().collect(),
        updated_at: cx.clock().now_ms(),
    };
    let guild = cx.path.guild_id.as_str();
    cx.notices().set_webhook(guild, &webhook).await?;
    let secret = webhook.secret.clone();
    let view = shown(guild, Some(webhook));
    Ok(Reply::ok(&NoticesView { secret, ..view }))
}

pub async fn remove(cx: Context<State, OneGuild>) -> Result<Reply, ApiError> {
    cx.notices()
        .remove_webhook(cx.path.guild_id.as_str())
        .await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

fn shown(guild: &str, webhook: Option<Webhook>) -> NoticesView {
    NoticesView {
        guild_id: guild.to_owned(),
        kind: webhook.as_ref().map(Webhook::kind),
        host: webhook.as_ref().map(Webhook::host),
        updated_at: webhook.as_ref().map(|webhook| webhook.updated_at),
        topics: webhook.map(|webhook| webhook.topics),
        secret: None,
    }
}
