//! The domain, video clips in Discord channels: Discord's API, a guild as the bot sees it,
//! the data of a scan, the arguments of jobs, schedules, notices, uploads, and the files of
//! DiscordChatExporter.

pub mod chat_export;
pub mod discord;
pub mod export;
pub mod guild;
pub mod jobs;
pub mod link;
pub mod media;
pub mod notices;
pub mod probe;
pub mod scan;
pub mod schedules;
pub mod uploads;
