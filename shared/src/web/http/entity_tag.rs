//! Entity tags, which say what version a caller has seen (RFC 9110, 8.8.3 and 13.1).

use super::digest::digest;
use crate::input::{FieldCode, FieldError};

/// The tags in `If-Match` or `If-None-Match`.
pub enum EntityTags {
    /// `*`: any version.
    Any,
    /// One of these versions.
    OneOf(Vec<String>),
}

impl EntityTags {
    /// Parses `text`, the value of the header `name`.
    ///
    /// # Errors
    /// If it is not a list of tags.
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

    /// Whether `tag` is one of them by strong comparison, which writes need. A weak tag (`W/…`)
    /// never matches.
    pub fn have(&self, tag: &str) -> bool {
        match self {
            EntityTags::Any => true,
            EntityTags::OneOf(tags) => tags.iter().any(|one| one == tag),
        }
    }

    /// Whether `tag` is one of them by weak comparison, which reads use: a proxy may have made
    /// the tag weak.
    pub fn have_weakly(&self, tag: &str) -> bool {
        match self {
            EntityTags::Any => true,
            EntityTags::OneOf(tags) => tags
                .iter()
                .any(|one| one.strip_prefix("W/").unwrap_or(one) == tag),
        }
    }
}

/// Computes the tag of a reply from its `text`.
pub fn entity_tag(text: &str) -> String {
    format!("\"{}\"", digest(text))
}
