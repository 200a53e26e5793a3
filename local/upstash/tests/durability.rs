//! Kills the program while it writes. Everything it acknowledged must still be there.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

const ROUNDS: usize = 50;
const WRITERS: usize = 8;
/// Acknowledged requests per round before the kill.
const ACKNOWLEDGED: usize = 60;

struct Program {
    child: Child,
    url: String,
    /// Kept open, because the program prints more lines than are read.
    _stdout: BufReader<std::process::ChildStdout>,
}

impl Program {
    fn start(db: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_upstash-local"))
            .args(["--listen", "127.0.0.1:0", "--token", "t", "--db"])
            .arg(db)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(stdout);
        stdout.read_line(&mut line).unwrap();
        let url = line
            .trim()
            .strip_prefix("UPSTASH_REDIS_REST_URL=")
            .unwrap()
            .to_owned();
        Self {
            child,
            url,
            _stdout: stdout,
        }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn send(
    client: &reqwest::Client,
    url: &str,
    path: &str,
    body: &Value,
) -> reqwest::Result<Value> {
    let request = client
        .post(format!("{url}{path}"))
        .bearer_auth("t")
        .body(body.to_string());
    request.send().await?.json().await
}

/// Writes increasing numbers until the server is gone. Each write sets two keys, by a
/// script or in a transaction. Returns the last acknowledged number.
async fn write(
    client: reqwest::Client,
    url: String,
    writer: usize,
    from: u64,
    acknowledged: tokio::sync::mpsc::UnboundedSender<()>,
) -> u64 {
    let mut last = from;
    loop {
        let n = last + 1;
        let (a, b) = (format!("a{writer}"), format!("b{writer}"));
        let script = "redis.call('set', KEYS[1], ARGV[1]) redis.call('set', KEYS[2], ARGV[1])";
        let sent = match n % 2 {
            0 => send(&client, &url, "/", &json!(["EVAL", script, 2, a, b, n])).await,
            _ => {
                send(
                    &client,
                    &url,
                    "/multi-exec",
                    &json!([["SET", a, n], ["SET", b, n]]),
                )
                .await
            }
        };
        if sent.is_err() {
            return last;
        }
        last = n;
        let _ = acknowledged.send(());
    }
}

#[tokio::test]
async fn every_acknowledged_write_survives_a_kill_and_nothing_is_half_done() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("data.db");
    let client = reqwest::Client::new();
    let mut kept = [0u64; WRITERS];
    for round in 0..ROUNDS {
        let mut program = Program::start(&db);
        let (sender, mut acknowledged) = tokio::sync::mpsc::unbounded_channel();
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (client, url) = (client.clone(), program.url.clone());
                tokio::spawn(write(client, url, writer, kept[writer], sender.clone()))
            })
            .collect();
        drop(sender);
        for _ in 0..ACKNOWLEDGED + round {
            acknowledged.recv().await.unwrap();
        }
        program.kill();
        let mut last = Vec::new();
        for writer in writers {
            last.push(writer.await.unwrap());
        }
        let program = Program::start(&db);
        for (writer, last) in last.into_iter().enumerate() {
            let command = json!(["MGET", format!("a{writer}"), format!("b{writer}")]);
            let body = send(&client, &program.url, "/", &command).await.unwrap();
            let pair = &body["result"];
            assert_eq!(pair[0], pair[1], "round {round}: half a write");
            let found: u64 = pair[0].as_str().map_or(0, |text| text.parse().unwrap());
            assert!(
                found == last || found == last + 1,
                "round {round}: {last} was acknowledged, {found} is there"
            );
            kept[writer] = found;
        }
    }
}
