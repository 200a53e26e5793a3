//! The state that all handlers share.

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};

use crate::{
    faults::Faults,
    guard::Guard,
    guild::{BOT_ID, Guild, MessageSpec},
    rate_limit::Buckets,
    requests::Requests,
    signing::Signer,
};

pub(crate) struct State {
    pub(crate) guard: Guard,
    pub(crate) token: RwLock<String>,
    pub(crate) faults: Faults,
    pub(crate) requests: Requests,
    pub(crate) buckets: Buckets,
    pub(crate) signer: Signer,
    pub(crate) has_content_intent: AtomicBool,
    pub(crate) clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    /// Readers hold a snapshot, never the lock. A test that looks at the guild while it
    /// requests a page must not block either of them.
    pub(crate) guild: RwLock<Arc<Guild>>,
}

impl State {
    pub(crate) fn now_ms(&self) -> i64 {
        (self.clock)()
    }

    pub(crate) fn token(&self) -> String {
        let token = self.token.read().unwrap_or_else(PoisonError::into_inner);
        token.clone()
    }

    pub(crate) fn guild(&self) -> Arc<Guild> {
        let guild = self.guild.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&guild)
    }

    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Guild) -> T) -> T {
        let mut guild = self.guild.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut guild))
    }

    /// Adds a message. Unless it sets a time, it is dated now and becomes the newest.
    pub(crate) fn add_message(&self, channel_id: u64, mut spec: MessageSpec) -> Option<u64> {
        let now_ms = self.now_ms();
        self.change(|guild| {
            let channel = guild.find_channel(channel_id)?;
            if spec.id.is_none() && spec.at_ms.is_none() {
                let newest = channel.messages.last_key_value().map(|(id, _)| *id);
                let id = newest.map_or(0, |id| id + 1);
                spec = spec.id(id.max(crate::snowflake::at_ms(now_ms)));
            }
            Some(guild.add_message(channel_id, spec))
        })
    }

    /// A stored message as the API returns it: with signed URLs, and without content if
    /// the intent is missing.
    pub(crate) fn present(&self, stored: &Value, hides_content: bool) -> Value {
        let mut message = stored.clone();
        let has_intent = self.has_content_intent.load(Ordering::Relaxed);
        if (hides_content || !has_intent) && !is_exempt(&message) {
            hide_content(&mut message);
        }
        self.signer.sign_all(&mut message, self.now_ms());
        message
    }
}

/// The bot's own messages and messages that mention it keep their content.
fn is_exempt(message: &Value) -> bool {
    let bot_id = json!(BOT_ID.to_string());
    let mentions = message["mentions"].as_array();
    message["author"]["id"] == bot_id
        || mentions.is_some_and(|users| users.iter().any(|user| user["id"] == bot_id))
}

fn hide_content(message: &mut Value) {
    let Some(fields) = message.as_object_mut() else {
        return;
    };
    fields.insert("content".to_owned(), json!(""));
    for key in ["attachments", "embeds", "components"] {
        fields.insert(key.to_owned(), json!([]));
    }
    fields.remove("poll");
    if let Some(referenced) = fields.get_mut("referenced_message") {
        hide_content(referenced);
    }
    let snapshots = fields
        .get_mut("message_snapshots")
        .and_then(Value::as_array_mut);
    for snapshot in snapshots.into_iter().flatten() {
        hide_content(&mut snapshot["message"]);
    }
}
