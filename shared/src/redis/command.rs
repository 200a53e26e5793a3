//! A command: its words, whether it may be sent twice, and the type of its reply.

use std::marker::PhantomData;

use super::{Error, FromReply, RedisService};

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
    pub words: Vec<String>,
    pub repeat: Repeat,
    /// Commands it usually runs itself, as a script does.
    pub inner: u32,
}

/// Commands that only read, whatever they are told.
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

/// A command whose reply is read as `T`.
#[derive(Clone, Debug)]
pub struct Command<T> {
    pub raw: RawCommand,
    reply: PhantomData<fn() -> T>,
}

impl<T: FromReply> Command<T> {
    /// A command that may be sent twice.
    pub fn safe(name: &str) -> Self {
        Self::new(name, Repeat::Safe)
    }

    /// A command that must not be applied twice.
    pub fn once(name: &str) -> Self {
        Self::new(name, Repeat::Never)
    }

    fn new(name: &str, repeat: Repeat) -> Self {
        Command {
            raw: RawCommand {
                words: vec![name.to_owned()],
                repeat,
                inner: 0,
            },
            reply: PhantomData,
        }
    }

    /// Adds one word.
    pub fn arg(mut self, word: impl ToString) -> Self {
        self.raw.words.push(word.to_string());
        self
    }

    /// Adds one word for each item.
    pub fn args<W: ToString>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.raw
            .words
            .extend(words.into_iter().map(|word| word.to_string()));
        self
    }

    /// Adds `name` and a value, if there is a value.
    pub fn option(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.arg(name).arg(value),
            None => self,
        }
    }

    /// Adds `name` if `on`.
    pub fn flag(self, name: &str, on: bool) -> Self {
        if on { self.arg(name) } else { self }
    }

    /// Says that this use of the command must not be applied twice.
    pub fn not_repeatable(mut self) -> Self {
        self.raw.repeat = Repeat::Never;
        self
    }

    /// Sends the command in a request of its own.
    ///
    /// # Errors
    /// What [`RedisService::execute`] answers, or [`Error::UnexpectedReply`].
    pub async fn send<S: RedisService + ?Sized>(self, service: &S) -> Result<T, Error> {
        T::from_reply(service.execute(self.raw).await?)
    }
}
