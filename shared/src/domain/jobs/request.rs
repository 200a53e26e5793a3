//! A job as somebody asks for it: a caller's body, another program's entry, a
//! setting.

use serde::Deserialize;

use super::{ChannelScan, Direction, MessageScan, ScanMode, ScanOptions};
use crate::input::{Bounded, Moment, Seconds, Snowflake};
use crate::queue::{JobId, NewJob};

/// A job as producers spell it, in either way of writing names. One struct for all
/// types, so that a mistake is named by its path.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobRequest {
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(alias = "guild_id")]
    guild_id: Snowflake,
    #[serde(alias = "channel_id")]
    channel_id: Snowflake,
    #[serde(alias = "scan_mode")]
    scan_mode: Option<ScanMode>,
    direction: Option<Direction>,
    limit: Option<Bounded<1, 1_000_000>>,
    #[serde(alias = "before_message_id")]
    before_message_id: Option<Snowflake>,
    #[serde(alias = "after_message_id")]
    after_message_id: Option<Snowflake>,
    #[serde(alias = "auto_continue")]
    auto_continue: Option<bool>,
    #[serde(alias = "message_ids")]
    message_ids: Option<Vec<Snowflake>>,
    options: Option<OptionsRequest>,
    priority: Option<Bounded<1, 10>>,
    #[serde(alias = "run_at")]
    run_at: Option<Moment>,
}

#[derive(Clone, Copy, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Scan,
    Batch,
    Message,
}

#[derive(Default, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OptionsRequest {
    #[serde(alias = "max_messages")]
    pub max_messages: Option<Bounded<1, 1_000_000>>,
    #[serde(alias = "min_video_seconds")]
    pub min_video_seconds: Option<Seconds>,
}

impl From<OptionsRequest> for ScanOptions {
    fn from(options: OptionsRequest) -> ScanOptions {
        ScanOptions {
            max_messages: options.max_messages.map(Bounded::get),
            min_video_seconds: options.min_video_seconds.map(Seconds::get),
        }
    }
}

impl JobRequest {
    /// Whether it reads a stretch of a channel, and not single messages.
    pub fn is_scan(&self) -> bool {
        matches!(self.kind, Kind::Scan | Kind::Batch)
    }

    /// Its type, by name.
    pub fn kind(&self) -> &'static str {
        match self.kind {
            Kind::Scan => ChannelScan::SCAN,
            Kind::Batch => ChannelScan::BATCH,
            Kind::Message => MessageScan::KIND,
        }
    }

    /// The fields that say nothing to a job of its type.
    pub fn misplaced(&self) -> Vec<&'static str> {
        let (scan, batch, message) = match self.kind {
            Kind::Scan => (true, false, false),
            Kind::Batch => (false, true, false),
            Kind::Message => (false, false, true),
        };
        let most = self
            .options
            .as_ref()
            .and_then(|options| options.max_messages);
        let fields = [
            ("scanMode", self.scan_mode.is_some(), scan),
            ("direction", self.direction.is_some(), batch),
            ("limit", self.limit.is_some(), batch),
            ("autoContinue", self.auto_continue.is_some(), batch),
            (
                "beforeMessageId",
                self.before_message_id.is_some(),
                !message,
            ),
            ("afterMessageId", self.after_message_id.is_some(), !message),
            ("messageIds", self.message_ids.is_some(), message),
            ("options.maxMessages", most.is_some(), !message),
        ];
        let misplaced = fields.into_iter().filter(|(_, sent, fits)| *sent && !fits);
        misplaced.map(|(name, ..)| name).collect()
    }

    /// Its guild and channel.
    pub fn place(&self) -> (&str, &str) {
        (self.guild_id.as_str(), self.channel_id.as_str())
    }

    /// The priority it names.
    pub fn priority(&self) -> Option<u8> {
        self.priority.map(|priority| priority.get() as u8)
    }

    /// When it is to run at the earliest.
    pub fn run_at(&self) -> Option<Moment> {
        self.run_at
    }

    /// The job it asks for.
    ///
    /// # Errors
    /// The field that does not go with the others, and what it may be.
    pub fn into_job(self, id: JobId) -> Result<NewJob, String> {
        let (priority, run_at) = (self.priority(), self.run_at);
        let mut job = match self.kind {
            Kind::Message => self.message(id)?,
            Kind::Scan | Kind::Batch => {
                if self.before_message_id.is_some() && self.after_message_id.is_some() {
                    let reason = "afterMessageId: expected either this or beforeMessageId";
                    return Err(reason.to_owned());
                }
                self.channel().into_job(id).map_err(|e| e.to_string())?
            }
        };
        if let Some(priority) = priority {
            job.priority = priority;
        }
        job.run_at_ms = run_at.map(Moment::ms);
        Ok(job)
    }

    fn channel(self) -> ChannelScan {
        let is_batch = matches!(self.kind, Kind::Batch);
        let direction = self.direction.unwrap_or(Direction::Backward);
        ChannelScan {
            guild_id: self.guild_id.into(),
            channel_id: self.channel_id.into(),
            scan_mode: (!is_batch).then(|| self.scan_mode.unwrap_or(ScanMode::Forward)),
            direction: is_batch.then_some(direction),
            limit: is_batch.then(|| self.limit.map_or(100, Bounded::get)),
            before_message_id: self.before_message_id.map(String::from),
            after_message_id: self.after_message_id.map(String::from),
            auto_continue: self.auto_continue.unwrap_or(false),
            options: self.options.unwrap_or_default().into(),
        }
    }

    fn message(self, id: JobId) -> Result<NewJob, String> {
        let ids = self.message_ids.unwrap_or_default();
        if ids.is_empty() || ids.len() > MessageScan::MOST {
            return Err(format!(
                "messageIds: expected a list of 1 to {} ids",
                MessageScan::MOST
            ));
        }
        let scan = MessageScan {
            guild_id: self.guild_id.into(),
            channel_id: self.channel_id.into(),
            message_ids: ids.into_iter().map(String::from).collect(),
            options: self.options.unwrap_or_default().into(),
        };
        NewJob::new(id, MessageScan::KIND, &scan).map_err(|error| error.to_string())
    }
}
