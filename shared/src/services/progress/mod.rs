//! The events of a scan, for watchers.
//!
//! Each scan has a stream whose ids are `<fence>-<n>`: the fence of the writing attempt,
//! and the event's number within that attempt. Redis refuses an id that is not above the
//! last one. So an attempt that lost its job cannot add to the stream, and an event that is
//! sent twice is stored once. Events that are sent together are one entry, whose id is that
//! of the last of them: one command stores them all. About the last 200 entries are kept,
//! for a day after the last one.

mod cursor;
mod event;
mod keys;

use std::time::Duration;

pub use cursor::{BadCursor, Cursor};
use event::PAGE;
pub use event::{Event, EventType, Events, Seen};
pub use keys::Keys;

use crate::redis::commands::keys::{Keys as _, pexpire};
use crate::redis::commands::streams::{Entry, Trim, xadd, xrange};
use crate::redis::{Command, Error, Pipeline, Prefix, Redis, Replies, Slot};

/// The approximate number of entries that are kept.
const KEPT: u64 = 200;

/// How long a scan's events outlive the last one.
const EXPIRY: Duration = Duration::from_secs(24 * 3600);

/// The events of all scans.
#[derive(Clone)]
pub struct Progress {
    keys: Keys,
}

/// The stream's answer to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// The event was stored.
    Ok,
    /// The stream already has this event or a later one: either it was sent twice, or a
    /// later attempt is writing. The reply to the scan's own script in the same request
    /// tells which.
    Refused,
}

impl Progress {
    /// Returns the events of scans under this key prefix.
    pub fn new(prefix: &str) -> Progress {
        Progress {
            keys: Keys(Prefix::new(prefix)),
        }
    }

    /// Adds an event to a pipeline. [`Progress::read_published`] reads its result.
    pub fn add_event(&self, pipeline: &mut Pipeline, scan_id: &str, event: &Event) -> Slot<String> {
        let data = event.data.to_string();
        pipeline.add(self.events(scan_id, &[(event.clone(), data)]))
    }

    /// The command that adds the events of one attempt, in order, for another script to run.
    /// Each has its data, or a word that the script replaces with it.
    pub fn events(&self, scan_id: &str, events: &[(Event, String)]) -> Command<String> {
        let id = events.last().map(|(event, _)| event.id());
        let numbers: Vec<[String; 2]> = events
            .iter()
            .map(|(event, _)| [event.place.to_string(), event.timestamp.to_string()])
            .collect();
        let fields = events
            .iter()
            .zip(&numbers)
            .flat_map(|((event, data), [at, time])| {
                [
                    ("at", at.as_str()),
                    ("type", event.kind.as_str()),
                    ("data", data.as_str()),
                    ("timestamp", time.as_str()),
                ]
            });
        let fields: Vec<(&str, &str)> = fields.collect();
        let key = self.keys.events(scan_id);
        xadd(&key, &id.unwrap_or_default(), Trim::About(KEPT), &fields)
    }

    /// The command that sets the expiry of a scan's events. It is sent with the first and
    /// with the last event.
    pub fn expiry(&self, scan_id: &str) -> Command<bool> {
        pexpire(&self.keys.events(scan_id), EXPIRY)
    }

    /// Reads the result of [`Progress::add_event`].
    ///
    /// # Errors
    /// Any failure other than a refused id.
    pub fn read_published(
        &self,
        replies: &mut Replies,
        slot: Slot<String>,
    ) -> Result<Published, Error> {
        match replies.take(slot) {
            Ok(_) => Ok(Published::Ok),
            Err(Error::Server(error)) if error.text().contains("equal or smaller") => {
                Ok(Published::Refused)
            }
            Err(error) => Err(error),
        }
    }

    /// Removes the events of a scan.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn forget(&self, redis: &Redis, scan_id: &str) -> Result<(), Error> {
        redis.del(&[&self.keys.events(scan_id)]).await?;
        Ok(())
    }

    /// Adds the read of the events after `cursor`. The cursor's own event is included, to
    /// see whether it still exists.
    pub fn add_events(
        &self,
        pipeline: &mut Pipeline,
        scan_id: &str,
        cursor: &Cursor,
    ) -> Slot<Vec<Entry>> {
        pipeline.add(xrange(
            &self.keys.events(scan_id),
            &cursor.start(),
            "+",
            PAGE + 1,
        ))
    }

    /// Returns the events that [`Progress::add_events`] asked for.
    ///
    /// # Errors
    /// The events could not be read.
    pub fn read_events(
        &self,
        replies: &mut Replies,
        slot: Slot<Vec<Entry>>,
        cursor: &Cursor,
    ) -> Result<Events, Error> {
        Ok(Events::after(cursor, replies.take(slot)?))
    }
}
