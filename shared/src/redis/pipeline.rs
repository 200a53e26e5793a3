//! Several commands in one request, each with a reply of its own type.

use std::marker::PhantomData;

use super::{Command, Error, FromReply, RawCommand, RedisService, Reply, Script};

/// Commands that travel together.
///
/// ```no_run
/// use shared::redis::commands::{hashes::hget, strings::incr};
/// use shared::redis::{Error, Pipeline, Redis};
///
/// # async fn example(redis: Redis) -> Result<(), Error> {
/// let mut pipeline = Pipeline::new();
/// let name = pipeline.add(hget("user:7", "name"));
/// let visits = pipeline.add(incr("visits"));
/// let mut replies = pipeline.send(&*redis).await?;
/// let (name, visits) = (replies.take(name)?, replies.take(visits)?);
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct Pipeline {
    commands: Vec<RawCommand>,
    /// The script of each `EVALSHA`, in case the server does not know it.
    scripts: Vec<(usize, &'static Script)>,
}

/// The place of a command's reply among the replies of a pipeline.
#[derive(Debug)]
pub struct Slot<T> {
    index: usize,
    reply: PhantomData<fn() -> T>,
}

impl Pipeline {
    /// Creates an empty pipeline. Sending it sends nothing.
    pub fn new() -> Pipeline {
        Pipeline::default()
    }

    /// Adds a command. The slot takes its reply later.
    pub fn add<T: FromReply>(&mut self, command: Command<T>) -> Slot<T> {
        self.commands.push(command.raw);
        Slot {
            index: self.commands.len() - 1,
            reply: PhantomData,
        }
    }

    /// Adds a command whose reply is returned untyped.
    pub fn add_raw(&mut self, command: RawCommand) -> Slot<Reply> {
        self.commands.push(command);
        Slot {
            index: self.commands.len() - 1,
            reply: PhantomData,
        }
    }

    /// Adds a script. If the server does not know it, this script alone is sent again in
    /// full, after the rest of the pipeline has run.
    pub fn add_script<T: FromReply>(
        &mut self,
        script: &'static Script,
        keys: &[&str],
        args: &[String],
    ) -> Slot<T> {
        self.scripts.push((self.commands.len(), script));
        self.add(script.by_sha(keys, args))
    }

    /// Whether the pipeline is empty.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Sends everything as a `/pipeline` request.
    ///
    /// # Errors
    /// The request failed as a whole. The failure of a single command is returned when its
    /// reply is taken.
    pub async fn send<S: RedisService + ?Sized>(self, service: &S) -> Result<Replies, Error> {
        let whole: Vec<(usize, RawCommand)> = self
            .scripts
            .iter()
            .map(|(index, script)| (*index, script.whole(&self.commands[*index])))
            .collect();
        let mut replies = service.pipeline(self.commands).await?;
        for (index, command) in whole {
            if matches!(&replies[index], Err(error) if error.is_no_script()) {
                replies[index] = service.execute(command).await;
            }
        }
        Ok(Replies::new(replies))
    }

    /// Sends everything as one transaction. Scripts are sent by their SHA only.
    ///
    /// # Errors
    /// The transaction was discarded as a whole.
    pub async fn send_atomic<S: RedisService + ?Sized>(
        self,
        service: &S,
    ) -> Result<Replies, Error> {
        Ok(Replies::new(service.multi_exec(self.commands).await?))
    }
}

/// The replies of a pipeline. Each can be taken once.
pub struct Replies {
    replies: Vec<Option<Result<Reply, Error>>>,
}

impl Replies {
    fn new(replies: Vec<Result<Reply, Error>>) -> Replies {
        Replies {
            replies: replies.into_iter().map(Some).collect(),
        }
    }

    /// Returns the reply to the command that created `slot`.
    ///
    /// # Errors
    /// The failure of that command.
    pub fn take<T: FromReply>(&mut self, slot: Slot<T>) -> Result<T, Error> {
        self.replies
            .get_mut(slot.index)
            .and_then(Option::take)
            .unwrap_or_else(|| Err(Error::Malformed("a reply is missing".into())))
            .and_then(T::from_reply)
    }
}
