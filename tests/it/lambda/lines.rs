//! The functions write log lines that Lambda can parse, without any secret.

use discord_local::Guild;
use discord_local::guild::{AttachmentSpec, ChannelSpec, MessageSpec};
use integration::lambda::{Invocation, Process};
use integration::ssm::Ssm;
use serde_json::{Value, json};

use super::{function, request};

/// Contained in everything that must not be logged: tokens, keys, and what callers and
/// people write, except IDs.
const MARK: &str = "m4rk";

const KEY: &str = "m4rk-the-api-key";
const DATABASE_TOKEN: &str = "m4rk-of-the-database";
const DISCORD_TOKEN: &str = "m4rk-of-the-bot";

const GUILD: u64 = 1_200_000_000_000_000_000;
const CHANNEL: u64 = 1_200_000_000_000_000_001;

/// The trace of the caller who requests the scan, and the trace of the schedule.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const XRAY: &str = "Root=1-69200000-0123456789abcdef01234567";
const XRAY_ID: &str = "692000000123456789abcdef01234567";

struct System {
    endpoint: upstash_local::Server,
    discord: discord_local::Server,
    ssm: Ssm,
}

impl System {
    async fn start() -> System {
        let endpoint = upstash_local::Server::start(upstash_local::Options {
            tokens: vec![DATABASE_TOKEN.to_owned()],
            ..upstash_local::Options::default()
        });
        let said =
            MessageSpec::text("m4rk, they said").attachment(AttachmentSpec::video("m4rk.mp4"));
        let guild = Guild::empty(GUILD)
            .channel(ChannelSpec::text(CHANNEL, "clips"))
            .message(CHANNEL, said);
        let discord = discord_local::Server::start(discord_local::Options {
            token: DISCORD_TOKEN.to_owned(),
            guild,
            ..discord_local::Options::default()
        });
        let ssm = Ssm::start(&[
            ("/t/database", DATABASE_TOKEN),
            ("/t/api", KEY),
            ("/t/admin", "m4rk-the-admin-key"),
            ("/t/bot", DISCORD_TOKEN),
        ]);
        System {
            endpoint: endpoint.await.unwrap(),
            discord: discord.await.unwrap(),
            ssm: ssm.await,
        }
    }

    /// One of its functions with the most verbose logging.
    async fn function(&self, name: &str) -> Process {
        self.function_at(name, "TRACE").await
    }

    async fn function_at(&self, name: &str, level: &str) -> Process {
        let mut environment = super::database(&self.endpoint);
        let more = [
            ("UPSTASH_REDIS_REST_TOKEN_PARAMETER", "/t/database"),
            ("TRAWL_API_KEY_PARAMETER", "/t/api"),
            ("TRAWL_ADMIN_KEY_PARAMETER", "/t/admin"),
            ("DISCORD_TOKEN_PARAMETER", "/t/bot"),
            ("DISCORD_API_BASE", &self.discord.url()),
            ("AWS_ENDPOINT_URL_SSM", &self.ssm.url),
            ("AWS_LAMBDA_LOG_LEVEL", level),
            ("DRAIN_LINGER_MS", "0"),
            ("METRICS", "emf"),
        ];
        environment.extend(more.map(|(name, value)| (name, value.to_owned())));
        function(name, &environment).await
    }
}

/// The lines that a process wrote, each checked against the common rules.
async fn lines(process: Process) -> Vec<Value> {
    let mut lines = Vec::new();
    for text in process.stop().await {
        assert!(!text.contains(MARK), "{text}");
        let line: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
        if line.get("_aws").is_some() {
            continue;
        }
        let level = line["level"].as_str().unwrap();
        assert!(["ERROR", "WARN", "INFO", "DEBUG", "TRACE"].contains(&level));
        let timestamp = line["timestamp"].as_str().unwrap();
        assert!(
            timestamp.len() > 20 && timestamp.ends_with('Z') && &timestamp[10..11] == "T",
            "{text}"
        );
        lines.push(line);
    }
    lines
}

/// The lines of invocations, without those of the start.
fn of_invocations(lines: &[Value]) -> Vec<&Value> {
    let ours = |line: &&Value| line["request_id"].is_string();
    lines.iter().filter(ours).collect()
}

fn json_body(reply: &Value) -> Value {
    serde_json::from_str(reply["body"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn the_log_lines_of_a_scan_share_one_trace_and_contain_no_secret() {
    let system = System::start().await;

    let mut enqueue = system.function("enqueue").await;
    let place = json!({ "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string() });
    let mut wanted = request("POST", "/api/jobs/scan", KEY, &place.to_string());
    wanted["headers"]["traceparent"] = json!(format!("00-{TRACE}-b7ad6b7169203331-01"));
    wanted["headers"]["idempotency-key"] = json!("m4rk-once");
    let created = enqueue.invoke(&wanted).await.reply();
    assert_eq!(created["statusCode"], 202, "{created}");
    let id = json_body(&created)["jobId"].as_str().unwrap().to_owned();
    for (body, key) in [
        (r#"{ "guildId": "m4rk" }"#, KEY),
        ("m4rk", KEY),
        ("{}", "m4rk-a-guess"),
    ] {
        let refused = request("POST", "/api/jobs/scan?m4rk=m4rk", key, body);
        let refused = enqueue.invoke(&refused).await.reply();
        let expected = if key == KEY { 400 } else { 401 };
        assert_eq!(refused["statusCode"], expected, "{refused}");
    }
    let enqueued = lines(enqueue).await;
    let told = of_invocations(&enqueued);
    assert!(told.len() >= 4, "{enqueued:#?}");
    let first = &told[0]["request_id"];
    for line in &told {
        let is_first = line["request_id"] == *first;
        assert_eq!(line["cold_start"] == true, is_first, "{line}");
        assert_eq!(line["trace_id"] == TRACE, is_first, "{line}");
        assert_eq!(line["function"], "enqueue");
    }

    let mut drain = system.function("drain").await;
    let mut schedule = Invocation::from(&json!({ "source": "aws.scheduler" }));
    schedule.trace = Some(XRAY.to_owned());
    let report = drain.invoke(schedule).await.reply();
    assert_eq!(report["completed"], 1, "{report}");
    let drained = lines(drain).await;
    let (of_job, others): (Vec<&Value>, Vec<&Value>) = of_invocations(&drained)
        .into_iter()
        .partition(|line| line["job_id"] == *id);
    assert!(!of_job.is_empty(), "{drained:#?}");
    assert!(of_job.iter().all(|line| line["trace_id"] == TRACE));
    assert!(others.iter().all(|line| line["trace_id"] == XRAY_ID));
    assert!(of_job.iter().all(|line| line["attempt"] == 1));

    for (name, asked) in [
        ("jobs", format!("/api/jobs/{id}")),
        ("scan-stream", format!("/api/scans/stream/{id}?lastId=0")),
        (
            "clips",
            format!("/api/guilds/{GUILD}/clips?channelId={CHANNEL}"),
        ),
    ] {
        let mut reader = system.function(name).await;
        let reply = reader
            .invoke(&request("GET", &asked, KEY, ""))
            .await
            .reply();
        assert_eq!(reply["statusCode"], 200, "{name}: {reply}");
        if name == "clips" {
            assert!(reply.to_string().contains(MARK), "it is to be found here");
        }
        lines(reader).await;
    }
    let mut sessions = system.function("sessions").await;
    let credentials = json!({ "key": KEY }).to_string();
    let begun = request("POST", "/api/sessions", "", &credentials);
    let mut begun = begun;
    begun["headers"]
        .as_object_mut()
        .unwrap()
        .remove("authorization");
    let begun = sessions.invoke(&begun).await.reply();
    assert_eq!(begun["statusCode"], 201, "{begun}");
    lines(sessions).await;
}

#[tokio::test]
async fn rejected_tokens_are_reported_without_their_text() {
    let system = System::start().await;
    system.ssm.put("/t/database", "m4rk-of-last-month");
    let mut jobs = system.function("jobs").await;
    let reply = jobs
        .invoke(&request("GET", "/api/jobs?state=waiting", KEY, ""))
        .await
        .reply();
    assert_eq!(reply["statusCode"], 503, "{reply}");
    let told = lines(jobs).await;
    assert!(
        told.iter().any(|line| line["level"] == "ERROR"),
        "{told:#?}"
    );

    system.ssm.put("/t/database", DATABASE_TOKEN);
    system.ssm.put("/t/bot", "m4rk-of-last-month");
    let mut enqueue = system.function("enqueue").await;
    let place = json!({ "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string() });
    let wanted = request("POST", "/api/jobs/scan", KEY, &place.to_string());
    assert_eq!(enqueue.invoke(&wanted).await.reply()["statusCode"], 202);
    let mut drain = system.function("drain").await;
    drain
        .invoke(&json!({ "source": "aws.scheduler" }))
        .await
        .reply();
    let told = lines(drain).await;
    assert!(told.iter().any(|line| line["level"] == "WARN"), "{told:#?}");
}

#[tokio::test]
async fn a_panic_fails_one_request_and_is_logged_only_by_its_location() {
    let system = System::start().await;
    let mut panics = system.function("panics").await;
    for _ in 0..3 {
        let reply = panics
            .invoke(&request("GET", "/api/panic", KEY, ""))
            .await
            .reply();
        assert_eq!(reply["statusCode"], 500, "{reply}");
        assert_eq!(json_body(&reply)["code"], "internal");
        assert!(!reply.to_string().contains(MARK), "{reply}");
    }
    let missing = request("GET", "/api/other", KEY, "");
    assert_eq!(panics.invoke(&missing).await.reply()["statusCode"], 404);
    let told = lines(panics).await;
    let panicked: Vec<&Value> = told
        .iter()
        .filter(|line| line["message"] == "panicked")
        .collect();
    assert_eq!(panicked.len(), 3, "{told:#?}");
    for line in panicked {
        assert!(line["place"].as_str().unwrap().contains("function.rs:"));
        assert!(line["request_id"].is_string(), "{line}");
    }
}

#[tokio::test]
async fn what_is_below_the_level_is_not_written() {
    let system = System::start().await;
    for (level, is_told) in [("INFO", true), ("WARN", false)] {
        let mut jobs = system.function_at("jobs", level).await;
        let wanted = request("GET", "/api/jobs?state=waiting", KEY, "");
        assert_eq!(jobs.invoke(&wanted).await.reply()["statusCode"], 200);
        let told = lines(jobs).await;
        assert_eq!(!told.is_empty(), is_told, "{told:#?}");
    }
}
