//! One connection shared by many requests. Requests are written in order, each as one
//! block, and answered in the same order.
//!
//! A transaction therefore needs no separate connection: nothing is written between its
//! MULTI and its EXEC, and a server that loses the connection in between discards it.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};

use super::address::RedisUrl;
use super::parser::Parser;
use crate::reply::Reply;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// New requests are accepted while fewer bytes than this wait to be written.
const MAX_UNWRITTEN_BYTES: usize = 1 << 20;

/// Why a request has no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// Nothing was written, so the request may be sent again.
    NotSent,
    /// The request may have run.
    Lost,
}

struct Request {
    bytes: Bytes,
    n_replies: usize,
    answer: oneshot::Sender<Result<Vec<Reply>, Broken>>,
}

/// A handle to a connection, shared by its clones. The connection closes when the last
/// one is dropped.
#[derive(Clone)]
pub struct Connection {
    requests: mpsc::UnboundedSender<Request>,
}

impl Connection {
    /// Connects, authenticates, selects a database and checks that scripts can be billed.
    ///
    /// # Errors
    ///
    /// A text that says why the server cannot be used.
    pub async fn open(url: &RedisUrl, database: usize) -> Result<Self, String> {
        let connecting = TcpStream::connect(url.host_and_port());
        let stream = tokio::time::timeout(CONNECT_TIMEOUT, connecting)
            .await
            .map_err(|_| "connecting timed out".to_owned())?
            .map_err(|error| error.to_string())?;
        stream
            .set_nodelay(true)
            .map_err(|error| error.to_string())?;
        let (requests, inbox) = mpsc::unbounded_channel();
        tokio::spawn(Line::new(stream).serve(inbox));
        let connection = Self { requests };
        let greeting = connection.greet(url, database);
        tokio::time::timeout(CONNECT_TIMEOUT, greeting)
            .await
            .map_err(|_| "the reply timed out".to_owned())??;
        Ok(connection)
    }

    async fn greet(&self, url: &RedisUrl, database: usize) -> Result<(), String> {
        let mut commands: Vec<Vec<Vec<u8>>> = Vec::new();
        if !url.credentials().is_empty() {
            let mut auth = vec![b"AUTH".to_vec()];
            auth.extend_from_slice(url.credentials());
            commands.push(auth);
        }
        let number = database.to_string().into_bytes();
        commands.push(vec![b"SELECT".to_vec(), number]);
        commands.push(vec![b"MULTI".to_vec()]);
        commands.push(vec![b"INFO".to_vec(), b"commandstats".to_vec()]);
        commands.push(vec![b"EXEC".to_vec()]);
        let mut bytes = BytesMut::new();
        for command in &commands {
            write_command(&mut bytes, command);
        }
        let replies = self
            .send(bytes.freeze(), commands.len())
            .await
            .map_err(|_| "the connection was closed".to_owned())?;
        let refusal = replies.iter().find_map(|reply| match reply {
            Reply::Error(text) => Some(text),
            _ => None,
        });
        match refusal {
            Some(text) => Err(format!("database {database}: {text}")),
            None => Ok(()),
        }
    }

    /// Whether the server has closed the connection.
    pub fn is_closed(&self) -> bool {
        self.requests.is_closed()
    }

    /// Sends commands that produce `n_replies` replies.
    ///
    /// # Errors
    ///
    /// [`Broken`] says whether they may have run.
    pub async fn send(&self, bytes: Bytes, n_replies: usize) -> Result<Vec<Reply>, Broken> {
        let (answer, answered) = oneshot::channel();
        let request = Request {
            bytes,
            n_replies,
            answer,
        };
        self.requests.send(request).map_err(|_| Broken::NotSent)?;
        answered.await.unwrap_or(Err(Broken::Lost))
    }
}

/// Appends a command in RESP.
pub fn write_command(out: &mut BytesMut, words: &[Vec<u8>]) {
    out.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        out.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
}

/// A request that waits for its replies.
struct Waiting {
    /// Number of bytes to be written before its first byte.
    starts_at: u64,
    n_missing: usize,
    replies: Vec<Reply>,
    answer: oneshot::Sender<Result<Vec<Reply>, Broken>>,
}

struct Line {
    stream: TcpStream,
    unwritten: BytesMut,
    n_taken: u64,
    n_written: u64,
    waiting: VecDeque<Waiting>,
    unread: BytesMut,
    parser: Parser,
}

impl Line {
    fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            unwritten: BytesMut::new(),
            n_taken: 0,
            n_written: 0,
            waiting: VecDeque::new(),
            unread: BytesMut::new(),
            parser: Parser::default(),
        }
    }

    /// Runs until the server closes the connection, or all senders are dropped and every
    /// request is answered.
    async fn serve(mut self, mut inbox: mpsc::UnboundedReceiver<Request>) {
        let ended = self.exchange(&mut inbox).await;
        inbox.close();
        while let Ok(request) = inbox.try_recv() {
            let _ = request.answer.send(Err(Broken::NotSent));
        }
        for waiting in self.waiting {
            let broken = match waiting.starts_at >= self.n_written {
                true => Broken::NotSent,
                false => Broken::Lost,
            };
            let _ = waiting.answer.send(Err(broken));
        }
        if let Err(error) = ended {
            tracing::warn!(%error, "the connection to Redis ended");
        }
    }

    async fn exchange(
        &mut self,
        inbox: &mut mpsc::UnboundedReceiver<Request>,
    ) -> std::io::Result<()> {
        let mut asked = true;
        while asked || !self.waiting.is_empty() {
            let (mut reader, mut writer) = self.stream.split();
            // All three branches are safe to cancel.
            tokio::select! {
                request = inbox.recv(), if asked && self.unwritten.len() < MAX_UNWRITTEN_BYTES => {
                    match request {
                        Some(request) => self.take(request),
                        None => asked = false,
                    }
                }
                written = writer.write_buf(&mut self.unwritten), if !self.unwritten.is_empty() => {
                    self.n_written += written? as u64;
                }
                read = reader.read_buf(&mut self.unread) => {
                    if read? == 0 {
                        return Err(std::io::ErrorKind::UnexpectedEof.into());
                    }
                    self.answer()?;
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, request: Request) {
        self.waiting.push_back(Waiting {
            starts_at: self.n_taken,
            n_missing: request.n_replies,
            replies: Vec::with_capacity(request.n_replies),
            answer: request.answer,
        });
        self.n_taken += request.bytes.len() as u64;
        self.unwritten.extend_from_slice(&request.bytes);
    }

    /// Passes on all complete replies.
    fn answer(&mut self) -> std::io::Result<()> {
        while let Some(reply) = self
            .parser
            .next(&mut self.unread)
            .map_err(std::io::Error::other)?
        {
            let first = self
                .waiting
                .front_mut()
                .ok_or_else(|| std::io::Error::other("received a reply without a request"))?;
            first.replies.push(reply);
            first.n_missing -= 1;
            if first.n_missing == 0
                && let Some(whole) = self.waiting.pop_front()
            {
                let _ = whole.answer.send(Ok(whole.replies));
            }
        }
        Ok(())
    }
}
