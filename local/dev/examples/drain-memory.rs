//! Runs a built `drain` the way Lambda does, with five scans waiting, or with an export of
//! as many clips as a second argument says. Prints how long it took to start and to drain,
//! its peak memory and what was billed.
//!
//! `cargo build --release -p drain && cargo run -p dev --example drain-memory --
//! target/release/drain [100000]`

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use discord_local::{RateLimit, sample};
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::config::{Provider, QueueConfig, RedisConfig};
use shared::discord::MessageId;
use shared::export::ExportFormat;
use shared::jobs::{ChannelScan, ExportJob, ScanMode, ScanOptions};
use shared::queue::{JobId, NewJob, Queue, SCAN};
use shared::redis::commands::sorted_sets::zadd;
use shared::redis::commands::strings::{SetOptions, set};
use shared::redis::{Pipeline, Redis};
use shared::scan::{Clip, ClipFilter, ClipRecord, ScanStore};
use tokio::sync::{Mutex, mpsc};

const SCANS: [u64; 5] = [
    sample::GENERAL_ID,
    sample::CLIPS_ID,
    sample::HIGHLIGHTS_ID,
    sample::VOICE_ID,
    sample::FORUM_THREAD_ID,
];

/// The two calls of a function: it polls for the next event and posts its answer.
struct Runtime {
    asked: mpsc::Sender<()>,
    events: Mutex<Vec<Value>>,
    answers: mpsc::Sender<Value>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let binary = std::env::args()
        .nth(1)
        .context("missing argument: the path of a built drain")?;
    let endpoint = upstash_local::Server::start(upstash_local::Options::default()).await?;
    let discord = discord_local::Server::start(discord_local::Options {
        rate_limit: RateLimit::off(),
        ..discord_local::Options::default()
    })
    .await?;
    match std::env::args().nth(2) {
        Some(clips) => enqueue_export(&endpoint, clips.parse()?).await?,
        None => enqueue(&endpoint).await?,
    }

    let (asked, mut was_asked) = mpsc::channel(4);
    let (answers, mut answer) = mpsc::channel(4);
    let events = Mutex::new(vec![json!({ "source": "aws.scheduler" })]);
    let runtime = Arc::new(Runtime {
        asked,
        events,
        answers,
    });
    let app = axum::Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route(
            "/2018-06-01/runtime/invocation/{id}/response",
            post(response),
        )
        .route("/2018-06-01/runtime/invocation/{id}/error", post(response))
        .with_state(runtime);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let api = listener.local_addr()?.to_string();
    tokio::spawn(async move { axum::serve(listener, app).await });

    endpoint.reset_meter();
    let started = Instant::now();
    let mut child = tokio::process::Command::new(&binary)
        .env_clear()
        .envs([
            ("AWS_LAMBDA_RUNTIME_API", api.as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", "drain"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "drain"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "drain"),
            ("REDIS_PROVIDER", "local"),
            ("UPSTASH_REDIS_REST_URL", &endpoint.url()),
            ("UPSTASH_REDIS_REST_TOKEN", endpoint.token()),
            ("DISCORD_TOKEN", "sample-bot-token"),
            ("DISCORD_API_BASE", &discord.url()),
            ("DISCORD_PAGE_INTERVAL_MS", "0"),
            ("RUST_LOG", "warn"),
        ])
        .kill_on_drop(true)
        .spawn()?;
    was_asked.recv().await.context("the function ended")?;
    let ready = started.elapsed();
    let report = answer.recv().await.context("the function ended")?;
    let done = started.elapsed() - ready;

    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id().unwrap_or(0)))?;
    let peak = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap_or("VmHWM unknown");
    println!("report        {report}");
    println!(
        "start         {:.1} ms to the first request for an event",
        ready.as_secs_f64() * 1000.0
    );
    println!("drain         {:.0} ms", done.as_secs_f64() * 1000.0);
    println!("peak memory   {}", peak.trim_start_matches("VmHWM:").trim());
    println!(
        "billed        {} commands in {} requests",
        endpoint.meter().total,
        endpoint.meter().requests.values().sum::<u64>()
    );
    child.kill().await?;
    Ok(())
}

fn connect(endpoint: &upstash_local::Server) -> anyhow::Result<(Redis, Queue)> {
    let clock = Clock::system();
    let config = RedisConfig {
        provider: Provider::Local,
        url: endpoint.url(),
        token: endpoint.token().into(),
        key_prefix: "trawl:".to_owned(),
        ca_file: None,
    };
    let redis = shared::redis::connect(&config, &clock)?;
    let config = QueueConfig::default();
    let queue = Queue::new(redis.clone(), "trawl:", SCAN, clock, config);
    Ok((redis, queue))
}

/// Stores clips as a scan would, and an export of all of them.
async fn enqueue_export(endpoint: &upstash_local::Server, n_clips: u64) -> anyhow::Result<()> {
    let (redis, queue) = connect(endpoint)?;
    let (guild, channel) = (sample::GUILD_ID.to_string(), sample::CLIPS_ID.to_string());
    let store = ScanStore::new(redis.clone(), "trawl:");
    let numbers: Vec<u64> = (0..n_clips).collect();
    for numbers in numbers.chunks(500) {
        let mut pipeline = Pipeline::new();
        let mut rows = Vec::new();
        for n in numbers {
            let message = MessageId(sample::CLIPS_ID + n * 4_194_304);
            let clip = Clip {
                id: (sample::CLIPS_ID + n).to_string(),
                guild_id: guild.clone(),
                channel_id: channel.clone(),
                message_id: message.to_string(),
                author_id: Some("1100000000000000001".to_owned()),
                author_name: Some("someone".to_owned()),
                posted_at: message.created_ms(),
                text: Some("what a clip, the best of the week by far ".repeat(5)),
                filename: Some(format!("clip_{n}.mp4")),
                url: Some(format!(
                    "https://cdn.discordapp.com/attachments/1/{n}/clip.mp4"
                )),
                ..Clip::default()
            };
            let row = store.keys().row(&channel, &clip.message_id, &clip.id);
            let text = ClipRecord::new(clip, None).text();
            pipeline.add(set(&store.keys().record(&row), &text, SetOptions::new()));
            rows.push((message.created_ms() as f64, row));
        }
        let rows: Vec<(f64, &str)> = rows.iter().map(|(at, row)| (*at, row.as_str())).collect();
        pipeline.add(zadd(&store.keys().recent(&guild), &rows));
        pipeline.send(&*redis).await?;
    }
    let export = ExportJob {
        guild_id: guild,
        format: ExportFormat::Csv,
        filter: ClipFilter::default(),
    };
    queue
        .enqueue(export.into_job(JobId::new(&Clock::system()))?)
        .await?;
    Ok(())
}

async fn enqueue(endpoint: &upstash_local::Server) -> anyhow::Result<()> {
    let (clock, (_, queue)) = (Clock::system(), connect(endpoint)?);
    let mut jobs = Vec::new();
    for channel in SCANS {
        let scan = ChannelScan {
            guild_id: sample::GUILD_ID.to_string(),
            channel_id: channel.to_string(),
            scan_mode: Some(ScanMode::Backfill),
            direction: None,
            limit: None,
            before_message_id: None,
            after_message_id: None,
            auto_continue: false,
            rescan: false,
            scheduled: false,
            guild_scan_id: None,
            options: ScanOptions::default(),
        };
        jobs.push(NewJob::new(JobId::new(&clock), ChannelScan::SCAN, &scan)?);
    }
    queue.enqueue_many(jobs).await?;
    Ok(())
}

/// Returns the next event. While there is none, the function waits as if it were frozen.
async fn next(State(runtime): State<Arc<Runtime>>) -> (HeaderMap, String) {
    let Some(event) = runtime.events.lock().await.pop() else {
        std::future::pending().await
    };
    // The receiver of this channel outlives the function.
    let _ = runtime.asked.send(()).await;
    let deadline = Clock::system().now_ms() + Duration::from_secs(900).as_millis() as i64;
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("lambda-runtime-aws-request-id", "1".to_owned()),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:000000000000:function:drain".to_owned(),
        ),
    ] {
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
    }
    (headers, event.to_string())
}

async fn response(State(runtime): State<Arc<Runtime>>, body: String) -> StatusCode {
    let answer = serde_json::from_str(&body).unwrap_or(Value::String(body));
    // As above.
    let _ = runtime.answers.send(answer).await;
    StatusCode::ACCEPTED
}
