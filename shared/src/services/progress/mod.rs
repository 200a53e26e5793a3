//! The events of a scan, for those who watch it.
//!
//! A stream a scan, its ids `<fence>-<n>`: the fence of the attempt that writes and
//! the place of the event within it. Redis refuses an id that is not above the last,
//! so an attempt that lost its job cannot add to the stream, and an event sent twice
//! is stored once. The last 200 or so are kept, for a day after the last.

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

/// About how many events are kept.
const KEPT: u64 = 200;

/// How long a scan's events outlive the last.
const EXPIRY: Duration = Duration::from_secs(24 * 3600);

/// The events of all scans.
#[derive(Clone)]
pub struct Progress {
    keys: Keys,
}

/// What the stream answered to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// It was stored.
    Ok,
    /// The stream is at this event already, or beyond: it was sent twice, or a later
    /// attempt writes. The reply to the scan's own script in the same
    /// request says which.
    Refused,
}

impl Progress {
    /// The events of scans under this key prefix.
    pub fn new(prefix: &str) -> Progress {
        Progress {
            keys: Keys(Prefix::new(prefix)),
        }
    }

    /// Adds an event to a pipeline; [`Progress::read_published`] takes its outcome.
    pub fn add_event(&self, pipeline: &mut Pipeline, scan_id: &str, event: &Event) -> Slot<String> {
        pipeline.add(self.event(scan_id, event, &event.data.to_string()))
    }

    /// The command that adds an event, for another script to run; `data` is its data, or
    /// a word that the script puts it in the place of.
    pub fn event(&self, scan_id: &str, event: &Event, data: &str) -> Command<String> {
        let (id, at) = (event.id(), event.timestamp.to_string());
        let fields = [
            ("type", event.kind.as_str()),
            ("data", data),
            ("timestamp", &at),
        ];
        xadd(&self.keys.events(scan_id), &id, Trim::About(KEPT), &fields)
    }

    /// The expiry of a scan's events: with the first and with the last.
    pub fn expiry(&self, scan_id: &str) -> Command<bool> {
        pexpire(&self.keys.events(scan_id), EXPIRY)
    }

    /// # Errors
    /// Any failure but a refused id.
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
    /// When Redis cannot be reached.
    pub async fn forget(&self, redis: &Redis, scan_id: &str) -> Result<(), Error> {
        redis.del(&[&self.keys.events(scan_id)]).await?;
        Ok(())
    }

    /// Adds the reading of the events after `cursor`, itself included to see whether
    /// it is still there.
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

    /// The events [`Progress::add_events`] asked for.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn read_events(
        &self,
        replies: &mut Replies,
        slot: Slot<Vec<Entry>>,
        cursor: &Cursor,
    ) -> Result<Events, Error> {
        Ok(Events::after(cursor, replies.take(slot)?))
    }
}
