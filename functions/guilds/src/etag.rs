//! The entity tag of a guild's settings.

use shared::http::{ApiError, Request, digest};
use shared::scan::GuildSettings;

/// The condition in `If-Match` (RFC 9110, 13.1.1).
pub enum Condition {
    /// `*` matches any settings. Every guild has settings.
    Any,
    OneOf(Vec<String>),
}

impl Condition {
    /// # Errors
    /// 400 if the header is not a list of entity tags.
    pub fn of(request: &Request) -> Result<Option<Condition>, ApiError> {
        let Some(text) = request.header("if-match") else {
            return Ok(None);
        };
        if text.trim() == "*" {
            return Ok(Some(Condition::Any));
        }
        let tags: Vec<String> = text.split(',').map(|tag| tag.trim().to_owned()).collect();
        let is_tag = |tag: &String| {
            let quoted = tag.strip_prefix("W/").unwrap_or(tag);
            let inner = quoted
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'));
            inner.is_some_and(|inner| !inner.contains('"'))
        };
        if !tags.iter().all(is_tag) {
            let detail = "if-match: expected `*` or the ETag of an earlier reply, in its quotes";
            return Err(ApiError::bad_request(detail));
        }
        Ok(Some(Condition::OneOf(tags)))
    }

    /// Whether the settings match. A weak tag (`W/…`) never does.
    pub fn holds(&self, settings: &GuildSettings) -> bool {
        match self {
            Condition::Any => true,
            Condition::OneOf(tags) => tags.contains(&etag(settings)),
        }
    }
}

/// The entity tag of settings. Equal settings have equal tags, however they are stored.
pub fn etag(settings: &GuildSettings) -> String {
    format!("\"{}\"", digest(&settings.to_text()))
}
