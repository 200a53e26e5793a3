//! The endpoint in front of a misbehaving server. `conformance` covers a well-behaved
//! one.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use upstash_local::{Options, Server, StartError, Store};

use super::endpoint::{Endpoint, Target};

/// Returns the server's reply, or `None` to close the connection. The arguments are the
/// number of the connection and the command.
type React = fn(usize, &str) -> Option<&'static str>;

/// A server that answers the handshake and then does as it is told.
struct Fake {
    address: SocketAddr,
    /// Commands in order of arrival, with the number of their connection.
    seen: Arc<Mutex<Vec<(usize, String)>>>,
}

impl Fake {
    async fn start(react: React) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::default();
        let record = Arc::clone(&seen);
        tokio::spawn(async move {
            for connection in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, connection, react, Arc::clone(&record)));
            }
        });
        Self { address, seen }
    }

    async fn endpoint(&self) -> Endpoint {
        let store = Store::Redis {
            url: format!("redis://{}", self.address).parse().unwrap(),
        };
        Endpoint::open(
            &Target::Embedded,
            Options {
                store,
                ..Options::default()
            },
        )
        .await
    }

    fn n_seen(&self, command: &str) -> usize {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|(_, name)| name == command).count()
    }
}

async fn serve(
    stream: TcpStream,
    connection: usize,
    react: React,
    seen: Arc<Mutex<Vec<(usize, String)>>>,
) {
    let mut stream = BufReader::new(stream);
    while let Some(name) = read_name(&mut stream).await {
        seen.lock().unwrap().push((connection, name.clone()));
        let Some(reply) = react(connection, &name) else {
            return;
        };
        stream.write_all(reply.as_bytes()).await.unwrap();
    }
}

/// The name of the next command. Its arguments are read and discarded.
async fn read_name(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let n_words = read_count(stream).await?;
    let mut name = None;
    for _ in 0..n_words {
        let mut word = vec![0; read_count(stream).await? + 2];
        stream.read_exact(&mut word).await.ok()?;
        let text = String::from_utf8_lossy(&word).trim_end().to_owned();
        name.get_or_insert(text);
    }
    name
}

async fn read_count(stream: &mut BufReader<TcpStream>) -> Option<usize> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    line.get(1..)?.trim_end().parse().ok()
}

/// Replies to the handshake and to transactions of one command.
fn well(name: &str) -> Option<&'static str> {
    Some(match name {
        "INFO" | "INCR" => "+QUEUED\r\n",
        "EXEC" => "*1\r\n:1\r\n",
        _ => "+OK\r\n",
    })
}

async fn ask(endpoint: &Endpoint, command: Value) -> (StatusCode, String) {
    let response = endpoint.try_send("/", &command).await.unwrap();
    (response.status(), response.text().await.unwrap())
}

#[tokio::test]
async fn a_write_whose_reply_was_lost_is_an_error_and_is_not_sent_again() {
    let fake = Fake::start(|connection, name| match (connection, name) {
        (0, "SET") => None,
        _ => well(name),
    })
    .await;
    let endpoint = fake.endpoint().await;
    let (status, text) = ask(&endpoint, json!(["SET", "k", "v"])).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        text.contains("the command may or may not have run"),
        "{text}"
    );
    assert_eq!(fake.n_seen("SET"), 1);
    assert_eq!(endpoint.server().meter().total, 0);
    let (status, _) = ask(&endpoint, json!(["SET", "k", "v"])).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_read_whose_reply_was_lost_is_asked_again() {
    let fake = Fake::start(|connection, name| match (connection, name) {
        (0, "GET") => None,
        _ => well(name),
    })
    .await;
    let endpoint = fake.endpoint().await;
    let (status, _) = ask(&endpoint, json!(["GET", "k"])).await;
    assert_eq!((status, fake.n_seen("GET")), (StatusCode::OK, 2));
}

#[tokio::test]
async fn an_unreachable_server_is_reported_as_unavailable_and_nothing_runs() {
    let fake = Fake::start(|connection, name| match (connection, name) {
        (0, "ECHO") | (1 | 2, _) => None,
        _ => well(name),
    })
    .await;
    let endpoint = fake.endpoint().await;
    let (status, text) = ask(&endpoint, json!(["ECHO", "x"])).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(text.contains("cannot be used"), "{text}");
    let (status, _) = ask(&endpoint, json!(["SET", "k", "v"])).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(fake.n_seen("SET"), 0);
    // The server is back.
    let (status, _) = ask(&endpoint, json!(["SET", "k", "v"])).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn nothing_comes_between_the_commands_of_a_transaction() {
    let fake = Fake::start(|_, name| well(name)).await;
    let endpoint = fake.endpoint().await;
    let transactions = (0..20).map(|_| async {
        let (status, body) = endpoint.batch("/multi-exec", json!([["INCR", "n"]])).await;
        assert_eq!((status, body), (StatusCode::OK, json!([{ "result": 1 }])));
    });
    let others = (0..20).map(|_| async {
        assert_eq!(
            ask(&endpoint, json!(["SET", "k", "v"])).await.0,
            StatusCode::OK
        );
    });
    futures_util::future::join(
        futures_util::future::join_all(transactions),
        futures_util::future::join_all(others),
    )
    .await;
    let seen = fake.seen.lock().unwrap();
    let names: Vec<&str> = seen.iter().map(|(_, name)| name.as_str()).collect();
    let begins = names
        .iter()
        .enumerate()
        .filter(|(_, name)| **name == "MULTI");
    // The first one is the handshake.
    for (at, _) in begins.skip(1) {
        assert_eq!(names[at..at + 3], ["MULTI", "INCR", "EXEC"]);
    }
    assert!(seen.iter().all(|(connection, _)| *connection == 0));
}

async fn refused(react: React) -> String {
    let fake = Fake::start(react).await;
    let url = format!("redis://me:secret@{}", fake.address);
    let store = Store::Redis {
        url: url.parse().unwrap(),
    };
    match Server::start(Options {
        store,
        ..Options::default()
    })
    .await
    {
        Err(error @ StartError::Redis(_)) => error.to_string(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("the server was taken"),
    }
}

#[tokio::test]
async fn an_unusable_server_is_a_start_error_that_shows_no_password() {
    let error = refused(|_, name| match name {
        "AUTH" => Some("-WRONGPASS invalid username-password pair\r\n"),
        _ => well(name),
    })
    .await;
    assert!(
        error.contains("WRONGPASS") && !error.contains("secret"),
        "{error}"
    );
    let error = refused(|_, name| match name {
        "SELECT" => Some("-ERR DB index is out of range\r\n"),
        _ => well(name),
    })
    .await;
    assert!(error.contains("database 0: ERR DB index"), "{error}");
    refused(|_, _| Some("HTTP/1.1 400 Bad Request\r\n\r\n")).await;
}
