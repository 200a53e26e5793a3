//! A function is frozen between invocations.

use integration::lambda::Process;
use serde_json::{Value, json};
use shared::clock::Clock;

use super::{KEY, plain_function, request};

const INVOCATIONS: u64 = 12;

struct Frozen {
    endpoint: upstash_local::Server,
    process: Process,
}

impl Frozen {
    async fn start(name: &str) -> Frozen {
        let endpoint = integration::start_endpoint().await;
        let mut process = plain_function(name, &endpoint).await;
        process.ready().await;
        process.freeze(true).await;
        Frozen { endpoint, process }
    }

    /// Returns the reply and the number of billed commands until the function was frozen.
    /// Lambda freezes it as soon as it asks for the next event.
    async fn invoke(&mut self, event: &Value) -> (Value, u64) {
        self.endpoint.reset_meter();
        self.process.freeze(false).await;
        let reply = self.process.invoke(event).await.reply();
        self.process.freeze(true).await;
        let meter = self.endpoint.meter();
        // One request in a hundred updates the month's count.
        let counting = meter.commands.get("hincrby").copied().unwrap_or(0);
        (reply, meter.total - counting)
    }
}

#[tokio::test]
async fn what_a_request_does_is_done_when_it_is_answered() {
    let mut jobs = Frozen::start("jobs").await;
    let event = request("GET", "/api/jobs?state=waiting", KEY, "");
    // The first invocation sends the scripts.
    jobs.invoke(&event).await;
    let (_, usual) = jobs.invoke(&event).await;
    assert!(usual > 0);
    for _ in 0..INVOCATIONS {
        let (reply, billed) = jobs.invoke(&event).await;
        assert_eq!((&reply["statusCode"], billed), (&json!(200), usual));
    }
}

#[tokio::test]
async fn accepted_jobs_are_stored_before_the_caller_gets_the_reply() {
    let mut enqueue = Frozen::start("enqueue").await;
    for n in 0..INVOCATIONS {
        let channel = 1_200_000_000_000_000_000 + n;
        let place = json!({ "guildId": "1200000000000000000", "channelId": channel.to_string() });
        let event = request("POST", "/api/jobs/scan", KEY, &place.to_string());
        let (reply, _) = enqueue.invoke(&event).await;
        assert_eq!(reply["statusCode"], 202, "{reply}");
        let jobs = format!("{}/hlen/trawl:jobs:scan:records", enqueue.endpoint.url());
        let client = shared::http_client().unwrap();
        let stored = client.get(jobs).bearer_auth(enqueue.endpoint.token());
        let stored: Value = stored.send().await.unwrap().json().await.unwrap();
        assert!(stored["result"].as_u64() > Some(n), "{stored}");
    }
}

#[tokio::test]
async fn a_drain_that_found_nothing_leaves_nothing_to_do() {
    let mut drain = Frozen::start("drain").await;
    let event = json!({ "source": "aws.scheduler" });
    drain.invoke(&event).await;
    for _ in 0..INVOCATIONS {
        let before = tidies_now();
        let (report, billed) = drain.invoke(&event).await;
        assert_eq!(report["claimed"], 0, "{report}");
        // Only the check for work, except in the minute in which a drainer cleans up.
        if !before && !tidies_now() {
            assert_eq!(billed, 1, "{report}");
        }
    }
}

/// Whether this is the first minute of an hour. The function reads the system clock, so a
/// test run may coincide with it.
fn tidies_now() -> bool {
    let now = Clock::system().now_ms();
    now.rem_euclid(3_600_000) < 60_000
}

/// The connections are closed while the function is frozen. It learns of that only when
/// it continues.
#[tokio::test]
async fn a_connection_closed_while_frozen_is_not_a_failure() {
    let mut enqueue = Frozen::start("enqueue").await;
    for n in 0..3 {
        let place = json!({
            "guildId": "1200000000000000000",
            "channelId": (1_200_000_000_000_000_000_u64 + n).to_string(),
        });
        let event = request("POST", "/api/jobs/scan", KEY, &place.to_string());
        let (reply, _) = enqueue.invoke(&event).await;
        assert_eq!(reply["statusCode"], 202, "{reply}");
        let (url, token) = (enqueue.endpoint.url(), enqueue.endpoint.token().to_owned());
        let listen = url.strip_prefix("http://").unwrap().parse().unwrap();
        enqueue.endpoint.stop().await;
        let options = upstash_local::Options {
            listen,
            tokens: vec![token],
            ..upstash_local::Options::default()
        };
        enqueue.endpoint = upstash_local::Server::start(options).await.unwrap();
    }
}
