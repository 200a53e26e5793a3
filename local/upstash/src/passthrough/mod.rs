//! The engine that forwards to a real Redis or Valkey.
//!
//! Commands pass the same checks as in the embedded engine and then run on the server,
//! with its replies, its clock and its script limits. This module confines each token to
//! its own database, removes the one script flag that servers do not know, and finds out
//! which commands scripts called, for the meter.

mod address;
mod bill;
mod conditions;
mod connection;
mod parser;
mod plan;
mod scripts;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::sync::Mutex;

pub use address::{RedisUrl, RedisUrlError};

use crate::engine::{Answer, EngineError, Job};
use crate::limits::Limits;
use crate::meter::Meter;
use crate::reply::Reply;
use connection::{Broken, Connection, write_command};
use plan::{Sent, Step};
use scripts::Digests;

pub struct PassThrough {
    url: RedisUrl,
    limits: Arc<Limits>,
    meter: Arc<Meter>,
    digests: Digests,
    /// One per token, reopened on demand after it was closed.
    connections: Vec<Mutex<Option<Connection>>>,
}

impl PassThrough {
    /// Connects to one database for each of `n` tokens.
    ///
    /// # Errors
    ///
    /// If a database cannot be used.
    pub async fn start(
        url: RedisUrl,
        n: usize,
        limits: Arc<Limits>,
        meter: Arc<Meter>,
    ) -> Result<Self, EngineError> {
        let engine = Self {
            url,
            limits,
            meter,
            digests: Digests::default(),
            connections: (0..n).map(|_| Mutex::default()).collect(),
        };
        for db in 0..n {
            engine.connection(db).await?;
        }
        Ok(engine)
    }

    /// Runs a job. `db` is relative to the database in the address.
    ///
    /// # Errors
    ///
    /// If the server does not reply. The error says whether anything may have run.
    pub async fn run(&self, job: Job) -> Result<Answer, EngineError> {
        let database = self.url.database() + job.db;
        let steps = job
            .commands
            .iter()
            .map(|args| plan::step(args, database, &self.limits, &self.digests));
        let steps: Vec<Step> = steps.collect();
        match job.atomic {
            true => self.run_transaction(job.db, steps).await,
            false => self.run_each(job.db, steps).await.map(Answer::Ran),
        }
    }

    /// Runs the commands in order and independently, with one write for all of them.
    async fn run_each(&self, db: usize, steps: Vec<Step>) -> Result<Vec<Reply>, EngineError> {
        let mut request = BytesMut::new();
        let mut n_replies = 0;
        let mut repeatable = true;
        for sent in steps.iter().filter_map(sent) {
            repeatable &= sent.repeatable;
            if sent.runs_script {
                n_replies += write_transaction(&mut request, &[sent]);
            } else {
                write_command(&mut request, &sent.words);
                n_replies += 1;
            }
        }
        let replies = self.exchange(db, request.freeze(), n_replies, repeatable);
        let mut replies = replies.await?.into_iter();
        let mut answers = Vec::with_capacity(steps.len());
        for step in &steps {
            answers.push(match step {
                Step::Refused(error) => Reply::Error(error.text().to_owned()),
                Step::Here(index, outcome) => self.answer_here(*index, outcome),
                Step::Send(sent) if sent.runs_script => {
                    match self.read_transaction(&[sent], &mut replies) {
                        Ok(mut results) => results.pop().unwrap_or(Reply::Nil),
                        Err(text) => Reply::Error(text),
                    }
                }
                Step::Send(sent) => self.settle(sent, replies.next().unwrap_or(Reply::Nil)),
            });
        }
        Ok(answers)
    }

    async fn run_transaction(&self, db: usize, steps: Vec<Step>) -> Result<Answer, EngineError> {
        let discarded = |text: &str| {
            Answer::Discarded(format!(
                "EXECABORT Transaction discarded because of: {text}"
            ))
        };
        let refusal = steps.iter().find_map(|step| match step {
            Step::Refused(error) => Some(error),
            _ => None,
        });
        if let Some(error) = refusal {
            return Ok(discarded(error.text()));
        }
        let commands: Vec<&Sent> = steps.iter().filter_map(sent).collect();
        let mut results = Vec::new().into_iter();
        if !commands.is_empty() {
            let mut request = BytesMut::new();
            let n_replies = write_transaction(&mut request, &commands);
            let repeatable = commands.iter().all(|sent| sent.repeatable);
            let replies = self.exchange(db, request.freeze(), n_replies, repeatable);
            let mut replies = replies.await?.into_iter();
            match self.read_transaction(&commands, &mut replies) {
                Ok(ran) => results = ran.into_iter(),
                Err(text) if text.starts_with("EXECABORT") => return Ok(Answer::Discarded(text)),
                Err(text) => return Ok(discarded(&text)),
            }
        }
        let answers = steps.iter().map(|step| match step {
            Step::Here(index, outcome) => self.answer_here(*index, outcome),
            _ => results.next().unwrap_or(Reply::Nil),
        });
        Ok(Answer::Ran(answers.collect()))
    }

    fn answer_here(&self, index: usize, outcome: &crate::reply::Outcome) -> Reply {
        self.meter.count(index);
        outcome.clone().into()
    }

    /// Bills a command that ran.
    fn settle(&self, sent: &Sent, reply: Reply) -> Reply {
        match &reply {
            // The server is too old to know this command.
            Reply::Error(text) if text.starts_with("ERR unknown command") => {}
            _ => self.meter.count(sent.index),
        }
        sent.translate(reply)
    }

    /// The replies to the commands of [`write_transaction`], or the reason why none of
    /// them ran.
    fn read_transaction(
        &self,
        commands: &[&Sent],
        replies: &mut impl Iterator<Item = Reply>,
    ) -> Result<Vec<Reply>, String> {
        let n_queued = 1 + commands.iter().map(|sent| n_written(sent)).sum::<usize>();
        let queued: Vec<Reply> = replies.take(n_queued).collect();
        let mut results = match replies.next() {
            Some(Reply::Array(results)) => results.into_iter(),
            Some(Reply::Error(text)) => {
                let refusal = queued.into_iter().find_map(|reply| match reply {
                    Reply::Error(text) => Some(text),
                    _ => None,
                });
                return Err(refusal.unwrap_or(text));
            }
            _ => return Err("ERR the transaction was not answered".into()),
        };
        let mut next = || results.next().unwrap_or(Reply::Nil);
        let answers = commands.iter().map(|sent| {
            if !sent.runs_script {
                return self.settle(sent, next());
            }
            let (before, reply, after) = (next(), next(), next());
            for (name, n) in bill::inner_calls(&before, &after, &sent.words[0]) {
                self.meter.count_inner(&name, n);
            }
            self.settle(sent, reply)
        });
        Ok(answers.collect())
    }

    /// Sends a request. Sends it again if nothing of it was written or repeating it is
    /// harmless.
    async fn exchange(
        &self,
        db: usize,
        request: Bytes,
        n_replies: usize,
        repeatable: bool,
    ) -> Result<Vec<Reply>, EngineError> {
        if n_replies == 0 {
            return Ok(Vec::new());
        }
        let connection = self.connection(db).await?;
        match connection.send(request.clone(), n_replies).await {
            Ok(replies) => return Ok(replies),
            Err(Broken::NotSent) => {}
            Err(Broken::Lost) if repeatable => {}
            Err(Broken::Lost) => return Err(self.lost()),
        }
        let connection = self.connection(db).await?;
        let again = connection.send(request, n_replies).await;
        again.map_err(|broken| match broken {
            Broken::NotSent => EngineError::Away(format!(
                "Redis at {} keeps closing the connection",
                self.url
            )),
            Broken::Lost => self.lost(),
        })
    }

    fn lost(&self) -> EngineError {
        EngineError::Lost(format!("the connection to Redis at {}", self.url))
    }

    async fn connection(&self, db: usize) -> Result<Connection, EngineError> {
        let mut slot = self.connections[db].lock().await;
        match &*slot {
            Some(open) if !open.is_closed() => Ok(open.clone()),
            _ => {
                let opened = Connection::open(&self.url, self.url.database() + db).await;
                let opened = opened.map_err(|reason| {
                    EngineError::Away(format!("Redis at {} cannot be used: {reason}", self.url))
                })?;
                *slot = Some(opened.clone());
                Ok(opened)
            }
        }
    }
}

fn sent(step: &Step) -> Option<&Sent> {
    match step {
        Step::Send(sent) => Some(sent),
        _ => None,
    }
}

/// Writes commands as one transaction, with a reading of the server's counters before and
/// after each script. Returns the number of expected replies.
fn write_transaction(out: &mut BytesMut, commands: &[&Sent]) -> usize {
    let counters = [b"INFO".to_vec(), b"commandstats".to_vec()];
    write_command(out, &[b"MULTI".to_vec()]);
    for sent in commands {
        if sent.runs_script {
            write_command(out, &counters);
        }
        write_command(out, &sent.words);
        if sent.runs_script {
            write_command(out, &counters);
        }
    }
    write_command(out, &[b"EXEC".to_vec()]);
    2 + commands.iter().map(|sent| n_written(sent)).sum::<usize>()
}

/// How many commands one client command becomes in a transaction.
fn n_written(sent: &Sent) -> usize {
    if sent.runs_script { 3 } else { 1 }
}
