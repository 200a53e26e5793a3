//! The entity tag of a guild's settings.

use shared::http::entity_tag;
use shared::scan::GuildSettings;

/// The entity tag of settings. Equal settings have equal tags, however they are stored.
pub fn etag(settings: &GuildSettings) -> String {
    entity_tag(&settings.to_text())
}
