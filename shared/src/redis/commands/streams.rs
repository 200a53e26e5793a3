//! Streams.

use crate::redis::{Command, Error, FromReply, Reply};

/// An entry of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `{milliseconds}-{sequence}`.
    pub id: String,
    /// Names and values, in the order in which they were added.
    pub fields: Vec<(String, String)>,
}

impl Entry {
    /// The first value with this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
    }
}

impl FromReply for Entry {
    fn from_reply(reply: Reply) -> Result<Self, Error> {
        let (id, fields) = <(String, Reply)>::from_reply(reply)?;
        let fields = crate::redis::reply_pairs(fields)?;
        Ok(Entry { id, fields })
    }
}

impl crate::redis::Element for Entry {}

/// How much of a stream is kept when an entry is added.
#[derive(Clone, Copy, Debug)]
pub enum Trim {
    /// Everything.
    No,
    /// About this many entries.
    About(u64),
    /// Exactly this many entries.
    Exactly(u64),
}

impl Trim {
    fn apply<T: FromReply>(self, command: Command<T>) -> Command<T> {
        match self {
            Trim::No => command,
            Trim::About(length) => command.arg("MAXLEN").arg("~").arg(length),
            Trim::Exactly(length) => command.arg("MAXLEN").arg(length),
        }
    }
}

commands! {
    /// Streams.
    Streams {
        /// Adds an entry and returns its id. If the caller chose the id, the server refuses
        /// a second sending; with `*`, a second sending would add a second entry.
        fn xadd(key: &str, id: &str, trim: Trim, fields: &[(&str, &str)]) -> String {
            let command = trim.apply(Command::safe("XADD").arg(key)).arg(id);
            let command = fields.iter().fold(command, |command, (name, value)| {
                command.arg(name).arg(value)
            });
            if id.contains('*') { command.not_repeatable() } else { command }
        }

        /// Returns at most `count` entries from `start` to `end`, inclusive. `(` before an
        /// id excludes it; `-` and `+` are the ends of the stream.
        fn xrange(key: &str, start: &str, end: &str, count: u64) -> Vec<Entry> {
            Command::safe("XRANGE").arg(key).arg(start).arg(end).arg("COUNT").arg(count)
        }

        /// Returns the entries after `last_id` of each stream. Streams without such entries
        /// are left out.
        fn xread(streams: &[(&str, &str)], count: u64) -> Vec<(String, Vec<Entry>)> {
            Command::safe("XREAD")
                .arg("COUNT")
                .arg(count)
                .arg("STREAMS")
                .args(streams.iter().map(|(key, _)| key))
                .args(streams.iter().map(|(_, id)| id))
        }

        /// Returns the number of entries.
        fn xlen(key: &str) -> u64 {
            Command::safe("XLEN").arg(key)
        }

        /// Trims a stream. Returns how many entries were removed.
        fn xtrim(key: &str, trim: Trim) -> u64 {
            trim.apply(Command::safe("XTRIM").arg(key))
        }
    }
}
