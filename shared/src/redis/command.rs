//! A command with the type of its reply, built word by word.

use std::marker::PhantomData;

use super::raw_command::{RawCommand, Repeat};
use super::{Error, FromReply, RedisService};

/// A command whose reply is read as `T`.
#[derive(Clone, Debug)]
pub struct Command<T> {
    /// The words of the command, without the type of its reply.
    pub raw: RawCommand,
    reply: PhantomData<fn() -> T>,
}

impl<T: FromReply> Command<T> {
    /// Starts a command that may be sent twice.
    pub fn safe(name: &str) -> Self {
        Self::new(name, Repeat::Safe)
    }

    /// Starts a command that must not be applied twice.
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

    /// Marks this use of the command as one that must not be applied twice.
    pub fn not_repeatable(mut self) -> Self {
        self.raw.repeat = Repeat::Never;
        self
    }

    /// Sends the command in a request of its own.
    ///
    /// # Errors
    /// The errors of [`RedisService::execute`], or [`Error::UnexpectedReply`].
    pub async fn send<S: RedisService + ?Sized>(self, service: &S) -> Result<T, Error> {
        T::from_reply(service.execute(self.raw).await?)
    }
}
