//! Pages of messages.

use serde_json::{Value, json};

use super::{error::ApiError, objects::readable_channel, query::Fields};
use crate::{faults::Plan, state::State};

/// Where a page is located. Bounds are exclusive, except for `around`.
enum Window {
    Newest,
    Before(u64),
    After(u64),
    Around(u64),
}

/// A page of messages, newest first in every form.
pub(crate) fn page(
    state: &State,
    channel_id: u64,
    fields: &Fields,
    plan: &Plan,
) -> Result<Value, ApiError> {
    let limit = fields.limit(1, 100)?.unwrap_or(50);
    let window = window(fields)?;
    if !plan.delete.is_empty() {
        state.change(|guild| {
            for message_id in &plan.delete {
                guild.delete_message(channel_id, *message_id);
            }
        });
    }

    let guild = state.guild();
    let channel = readable_channel(&guild, channel_id)?;
    if !guild.may_read_history(channel) {
        return Ok(json!([]));
    }
    let messages = &channel.messages;
    let mut page: Vec<(&u64, &Value)> = match window {
        Window::Newest => messages.iter().rev().take(limit).collect(),
        Window::Before(id) => messages.range(..id).rev().take(limit).collect(),
        // The page directly after the ID, reversed only afterwards.
        Window::After(id) => messages.range(after(id)..).take(limit).collect(),
        Window::Around(id) => {
            let newer = messages.range(after(id)..).take(limit / 2);
            let rest = messages.range(..=id).rev().take(limit - limit / 2);
            newer.chain(rest).collect()
        }
    };
    page.sort_unstable_by(|(left, _), (right, _)| right.cmp(left));

    let mut page: Vec<Value> = page
        .into_iter()
        .map(|(_, message)| state.present(message, plan.hides_content))
        .collect();
    let middle = page.len() / 2;
    if let Some(message) = page.get_mut(middle).filter(|_| plan.breaks_message) {
        *message = broken(message);
    }
    if plan.oldest_first {
        page.reverse();
    }
    Ok(Value::Array(page))
}

/// One message.
pub(crate) fn message(
    state: &State,
    channel_id: u64,
    message_id: u64,
    plan: &Plan,
) -> Result<Value, ApiError> {
    let guild = state.guild();
    let channel = readable_channel(&guild, channel_id)?;
    if !guild.may_read_history(channel) {
        return Err(ApiError::missing_access());
    }
    channel
        .messages
        .get(&message_id)
        .map(|message| state.present(message, plan.hides_content))
        .ok_or_else(ApiError::unknown_message)
}

fn window(fields: &Fields) -> Result<Window, ApiError> {
    let before = fields.id("before")?;
    let after = fields.id("after")?;
    let around = fields.id("around")?;
    match (before, after, around) {
        (None, None, None) => Ok(Window::Newest),
        (Some(id), None, None) => Ok(Window::Before(id)),
        (None, Some(id), None) => Ok(Window::After(id)),
        (None, None, Some(id)) => Ok(Window::Around(id)),
        _ => Err(ApiError::invalid_form(
            "before",
            "MUTUALLY_EXCLUSIVE",
            "Only one of before, after and around may be given.",
        )),
    }
}

fn after(id: u64) -> u64 {
    id.saturating_add(1)
}

fn broken(message: &Value) -> Value {
    json!({
        "id": message["id"],
        "channel_id": message["channel_id"],
        "type": "default",
        "content": 7,
        "attachments": "unavailable",
        "timestamp": null,
    })
}
