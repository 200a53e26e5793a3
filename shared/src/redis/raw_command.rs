//! A command as it is sent: its words, and whether it may be sent twice.

/// What happens if a command reaches the server twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// The second time changes nothing: reads, plain overwrites, scripts written
    /// to be replayed. Sent again when the outcome of the first is unknown.
    Safe,
    /// The second time would count again (`INCR`, `XADD *`). Sent again only when
    /// the first certainly did not arrive.
    Never,
}

/// A command as it is sent, without the type of its reply.
#[derive(Clone, PartialEq, Eq)]
pub struct RawCommand {
    /// The name and the arguments.
    pub words: Vec<String>,
    /// Whether it may be sent again when no reply came.
    pub repeat: Repeat,
    /// Commands it usually runs itself, as a script does.
    pub inner: u32,
}

/// Commands that only read, whatever their arguments are.
const READS: [&str; 8] = [
    "EXISTS", "GET", "HGET", "HGETALL", "HMGET", "MGET", "XRANGE", "ZRANGE",
];

impl RawCommand {
    /// Whether it certainly changes nothing.
    pub fn is_read(&self) -> bool {
        let name = self.words.first();
        name.is_some_and(|name| READS.contains(&name.as_str()))
    }
}

impl std::fmt::Debug for RawCommand {
    /// Shows the command's name alone: arguments may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.words.first().map_or("", String::as_str);
        write!(f, "{name} with {} arguments", self.words.len().max(1) - 1)
    }
}
