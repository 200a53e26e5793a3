//! `upstash-local` from a user's point of view.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_upstash-local"));
    command
        .args(arguments)
        .env_clear()
        .env("RUST_BACKTRACE", "1");
    command
}

/// A running program, killed when the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Fails if the program has already ended, as it should.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_taken_port_is_said_with_its_cause_and_leaves_no_file_behind() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("data.db");
    let output = program(&["--listen", &port, "--db", db.to_str().unwrap()]).output();
    let output = output.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(
        errors.starts_with("error: cannot listen on 127.0.0.1:"),
        "{errors}"
    );
    assert_eq!(errors.lines().count(), 2, "{errors}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn it_listens_where_it_is_told_and_makes_another_token_each_time() {
    let mut tokens = Vec::new();
    for listen in ["localhost:0", "0", "127.0.0.1:0"] {
        let mut command = program(&["--memory", "--seed", "7", "--listen", listen]);
        let mut child = Running(command.stdout(Stdio::piped()).spawn().unwrap());
        let out = BufReader::new(child.0.stdout.take().unwrap());
        let lines: Vec<String> = out.lines().take(2).map(Result::unwrap).collect();
        assert!(
            lines[0].starts_with("UPSTASH_REDIS_REST_URL=http://127.0.0.1:"),
            "{lines:?}"
        );
        let token = lines[1].strip_prefix("UPSTASH_REDIS_REST_TOKEN=").unwrap();
        assert!(token.len() >= 32, "{token}");
        tokens.push(token.to_owned());
    }
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 3);
}
