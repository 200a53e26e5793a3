//! Ids that are the same in every guild.

/// The owner of every guild and thread here.
pub const OWNER_ID: u64 = 1_100_000_000_000_000_001;
/// The bot's user ID, which is also its application ID.
pub const BOT_ID: u64 = 1_100_000_000_000_000_900;
