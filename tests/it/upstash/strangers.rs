//! Callers without a token and pages of other sites: what they are told, and how long
//! they may take.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use upstash_local::{Clock, Durability, Options, Server, Store};

use super::endpoint::Endpoint;

/// Headers that a browser sends for a page of another site.
const FOREIGN: [(&str, &str); 6] = [
    ("host", "evil.example"),
    ("host", "127.0.0.1.evil.example:8079"),
    ("origin", "https://evil.example"),
    ("origin", "null"),
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-site", "same-site"),
];

#[tokio::test]
async fn public_replies_reveal_nothing_about_the_token() {
    let start = async || {
        Server::start(Options {
            seed: 7,
            ..Options::default()
        })
        .await
        .unwrap()
    };
    let (first, second) = (start().await, start().await);
    assert_ne!(first.token(), second.token(), "a seed makes no secret");
    let endpoint = Endpoint::start().await;
    let refused = endpoint.client.post(endpoint.url()).send().await.unwrap();
    assert_eq!(refused.status(), 401);
    let told = format!("{:?}", refused.headers());
    for part in endpoint.token().as_bytes().windows(6) {
        let part = std::str::from_utf8(part).unwrap();
        assert!(!told.contains(part), "{part} in {told}");
    }
}

#[tokio::test]
async fn files_with_secrets_are_their_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.db");
    // An existing file that others can read is made private.
    std::fs::write(&path, []).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let options = Options {
        store: Store::File {
            path,
            durability: Durability::Normal,
        },
        ..Options::default()
    };
    let endpoint = Endpoint::with(options).await;
    endpoint.run(json!(["SET", "a", "b"])).await;
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", file.path());
    }
    endpoint.close().await;
}

#[tokio::test]
async fn pages_of_other_sites_run_nothing_even_with_the_token() {
    let endpoint = Endpoint::start().await;
    endpoint.run(json!(["SET", "a", "kept"])).await;
    endpoint.server().reset_meter();
    for (name, value) in FOREIGN {
        let with_token = format!("{}/flushall?_token={}", endpoint.url(), endpoint.token());
        for request in [
            endpoint.client.get(&with_token),
            endpoint.post("/").body(r#"["FLUSHALL"]"#),
            endpoint.client.get(endpoint.url()),
        ] {
            let refused = request.header(name, value).send().await.unwrap();
            assert_eq!(refused.status(), 403, "{name}: {value}");
            let body: Value = refused.json().await.unwrap();
            assert!(
                body["error"].as_str().unwrap().starts_with("ERR "),
                "{body}"
            );
        }
    }
    assert_eq!(endpoint.server().meter().total, 0);
    assert_eq!(endpoint.run(json!(["GET", "a"])).await, "kept");
}

#[tokio::test]
async fn a_server_answers_to_the_names_it_was_given() {
    let endpoint = Endpoint::with(Options {
        host_names: vec!["host.docker.internal".to_owned()],
        ..Options::default()
    })
    .await;
    for (host, status) in [
        ("host.docker.internal:8079", 200),
        ("localhost", 200),
        ("other.docker.internal", 403),
    ] {
        let request = endpoint.post("/").header("host", host).body(r#"["PING"]"#);
        assert_eq!(request.send().await.unwrap().status(), status, "{host}");
    }
}

#[tokio::test]
async fn web_pages_and_forms_cannot_use_the_control_api() {
    let endpoint = Endpoint::with(Options {
        control: Some("127.0.0.1:0".parse().unwrap()),
        clock: Clock::manual(1_000_000),
        ..Options::default()
    })
    .await;
    let clock = format!("{}/clock", endpoint.server().control_url().unwrap());
    let body = json!({ "advanceMs": 5 }).to_string();
    let status =
        async |request: reqwest::RequestBuilder| request.send().await.unwrap().status().as_u16();
    let post = || endpoint.client.post(&clock).body(body.clone());
    for (name, value) in FOREIGN {
        let json = post().header("content-type", "application/json");
        assert_eq!(
            status(json.header(name, value)).await,
            403,
            "{name}: {value}"
        );
        let read = endpoint.client.get(&clock).header(name, value);
        assert_eq!(status(read).await, 403, "{name}: {value}");
    }
    assert_eq!(status(post()).await, 403);
    for plain in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ] {
        assert_eq!(
            status(post().header("content-type", plain)).await,
            403,
            "{plain}"
        );
    }
    assert_eq!(endpoint.server().clock().now_ms(), 1_000_000);
    assert_eq!(
        status(post().header("content-type", "application/json")).await,
        200
    );
    assert_eq!(endpoint.server().clock().now_ms(), 1_000_005);
    assert_eq!(status(endpoint.client.get(&clock)).await, 200);
}

async fn connect(endpoint: &Endpoint) -> TcpStream {
    let address = endpoint.url().trim_start_matches("http://");
    TcpStream::connect(address).await.unwrap()
}

#[tokio::test]
async fn the_body_of_a_caller_without_a_token_is_not_read() {
    let endpoint = Endpoint::start().await;
    for token in ["", "Authorization: Bearer wrong\r\n"] {
        let mut stream = connect(&endpoint).await;
        let head = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\n{token}Content-Length: 9000000\r\n\r\n[\"SET\""
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut reply = Vec::new();
        // The reply ends although the body never arrives, because the connection is
        // closed after it.
        stream.read_to_end(&mut reply).await.unwrap();
        let reply = String::from_utf8_lossy(&reply);
        assert!(reply.starts_with("HTTP/1.1 401 "), "{reply}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_come_within_ten_seconds_closes_the_connection() {
    let endpoint = Endpoint::with(Options {
        control: Some("127.0.0.1:0".parse().unwrap()),
        ..Options::default()
    })
    .await;
    let control = endpoint.server().control_url().unwrap();
    for address in [endpoint.url(), &control] {
        for sent in ["", "POST / HTTP/1.1\r\nHost: local"] {
            let began = tokio::time::Instant::now();
            let address = address.trim_start_matches("http://");
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(sent.as_bytes()).await.unwrap();
            let mut reply = Vec::new();
            // Closed with or without a reply that explains it.
            let _ = stream.read_to_end(&mut reply).await;
            let took = began.elapsed();
            assert!(
                (Duration::from_secs(9)..Duration::from_secs(12)).contains(&took),
                "{sent:?} after {took:?}"
            );
        }
    }
}
