//! A command as it is sent: its words, and whether it may be sent twice.

/// Whether a command may reach the server twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// The second time changes nothing, as with reads, plain overwrites and scripts that
    /// can be replayed. The command is sent again if the outcome of the first sending is
    /// unknown.
    Safe,
    /// The second time would count again (`INCR`, `XADD *`). The command is sent again only
    /// if the first sending certainly did not arrive.
    Never,
}

/// A command as it is sent, without the type of its reply.
#[derive(Clone, PartialEq, Eq)]
pub struct RawCommand {
    /// The command's name and its arguments.
    pub words: Vec<String>,
    /// Whether the command may be sent again after a lost reply.
    pub repeat: Repeat,
    /// The number of commands that it usually runs itself, as a script does.
    pub inner: u32,
}

/// Commands that only read, whatever their arguments are.
const READS: [&str; 8] = [
    "EXISTS", "GET", "HGET", "HGETALL", "HMGET", "MGET", "XRANGE", "ZRANGE",
];

impl RawCommand {
    /// Whether the command certainly changes nothing.
    pub fn is_read(&self) -> bool {
        let name = self.words.first();
        name.is_some_and(|name| READS.contains(&name.as_str()))
    }
}

impl std::fmt::Debug for RawCommand {
    /// Shows only the command's name, because arguments may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.words.first().map_or("", String::as_str);
        write!(f, "{name} with {} arguments", self.words.len().max(1) - 1)
    }
}
