//! Entity tags: what a caller has seen (RFC 9110, 8.8.3 and 13.1).

use super::digest::digest;
use crate::input::{FieldCode, FieldError};

/// The tags in `If-Match` or `If-None-Match`.
pub enum EntityTags {
    /// `*`: whatever there is.
    Any,
    /// Any of these.
    OneOf(Vec<String>),
}

impl EntityTags {
    /// The tags in `text`, the header `name`.
    ///
    /// # Errors
    /// When it is no list of tags.
    pub(super) fn parse(name: &'static str, text: &str) -> Result<EntityTags, FieldError> {
        if text.trim() == "*" {
            return Ok(EntityTags::Any);
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
            let detail = "expected `*` or the ETag of an earlier reply, in its quotes";
            return Err(FieldError::header(name, FieldCode::Invalid, detail));
        }
        Ok(EntityTags::OneOf(tags))
    }

    /// Whether `tag` is one of them, as a change asks: a weak tag (`W/…`) is none.
    pub fn have(&self, tag: &str) -> bool {
        match self {
            EntityTags::Any => true,
            EntityTags::OneOf(tags) => tags.iter().any(|one| one == tag),
        }
    }

    /// Whether `tag` is one of them, as a read asks: a proxy may have made it a weak one.
    pub fn have_weakly(&self, tag: &str) -> bool {
        match self {
            EntityTags::Any => true,
            EntityTags::OneOf(tags) => tags
                .iter()
                .any(|one| one.strip_prefix("W/").unwrap_or(one) == tag),
        }
    }
}

/// The tag of what `text` shows.
pub fn entity_tag(text: &str) -> String {
    format!("\"{}\"", digest(text))
}
