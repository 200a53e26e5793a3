//! The examples of the document: the event files, as they are sent and answered.

use std::collections::BTreeMap;

use integration::TestApp;
use serde_json::{Value, json};
use shared::openapi::Exchange;

use super::super::events::{Given, JOB, answers, files, invoke, system};

/// What is sent after the scan of the files has ended.
const AFTER_A_SCAN: [&str; 4] = [
    "clips-http-list",
    "jobs-http-get",
    "scan-statuses-http-channel",
    "scan-stream-http-read",
];

/// The event files as they are answered, and some of them again in other circumstances.
pub async fn record() -> Vec<Exchange> {
    let files = files();
    let mut exchanges = Vec::new();
    for answered in answers().await {
        let file = &answered.case.file;
        let Some((function, name)) = file.split_once("-http-") else {
            continue;
        };
        let exchange = exchange(&files[file], &answered.reply, &answered.discord_url);
        let name = match exchange.status {
            200..400 => name.to_owned(),
            _ => format!("{function}-{name}"),
        };
        exchanges.push(Exchange { name, ..exchange });
    }
    exchanges.extend(after_a_scan(&files).await);
    exchanges.extend(problems(&files).await);
    exchanges
}

async fn after_a_scan(files: &BTreeMap<String, Value>) -> Vec<Exchange> {
    let app = system(Given::Scan).await;
    app.drain().await;
    let mut exchanges = Vec::new();
    for file in AFTER_A_SCAN {
        let exchange = send(&app, file, &files[file]).await;
        assert_eq!(exchange.status, 200, "{exchange:?}");
        exchanges.push(Exchange {
            name: "after-a-scan".to_owned(),
            ..exchange
        });
    }
    // Nobody looks into the clips that the scan has found.
    app.leaves_any_jobs();
    app.stop().await;
    exchanges
}

/// The problems that no event file shows.
async fn problems(files: &BTreeMap<String, Value>) -> Vec<Exchange> {
    let app = system(Given::Scan).await;
    let mut exchanges = Vec::new();
    let mut problem = |status: u16, name: &str, exchange: Exchange| {
        assert_eq!(exchange.status, status, "{exchange:?}");
        exchanges.push(Exchange {
            name: name.to_owned(),
            ..exchange
        });
    };
    let scan = "enqueue-http-scan";
    problem(
        409,
        "jobs-retry-unfinished",
        send(&app, "jobs-http-retry", &files["jobs-http-retry"]).await,
    );
    let settings = "guilds-http-write-settings";
    let stale = with_header(&files[settings], "if-match", "\"stale\"");
    problem(412, "guilds-stale-etag", send(&app, settings, &stale).await);
    let large = json!({ "guildId": "1".repeat(256 * 1024) });
    problem(
        413,
        "enqueue-large-body",
        send(&app, scan, &with_body(&files[scan], &large)).await,
    );
    let text = with_header(&files[scan], "content-type", "text/plain");
    problem(415, "enqueue-plain-text", send(&app, scan, &text).await);
    let keyed = with_header(
        &files[scan],
        "idempotency-key",
        "8e03978e-40d5-43e8-bc93-6894a57f9324",
    );
    send(&app, scan, &keyed).await;
    let mut other: Value = serde_json::from_str(keyed["body"].as_str().unwrap()).unwrap();
    other["scanMode"] = "backfill".into();
    problem(
        422,
        "enqueue-key-reused",
        send(&app, scan, &with_body(&keyed, &other)).await,
    );
    let flag = "admin-http-set-flag";
    send(&app, flag, &with_body(&files[flag], &json!({ "on": true }))).await;
    problem(
        503,
        "enqueue-switched-off",
        send(&app, scan, &files[scan]).await,
    );
    app.leaves_any_jobs();
    app.stop().await;
    exchanges
}

fn with_header(event: &Value, name: &str, value: &str) -> Value {
    let mut event = event.clone();
    event["headers"][name] = value.into();
    event
}

fn with_body(event: &Value, body: &Value) -> Value {
    let body = body.to_string();
    let mut event = with_header(event, "content-length", &body.len().to_string());
    event["body"] = body.into();
    event
}

async fn send(app: &TestApp, file: &str, event: &Value) -> Exchange {
    let reply = invoke(app, file, event).await;
    exchange(event, &reply, &app.discord.url())
}

fn exchange(event: &Value, reply: &Value, discord_url: &str) -> Exchange {
    // Without the path of the API.
    let discord: Vec<&str> = discord_url.splitn(4, '/').take(3).collect();
    let discord = discord.join("/");
    let body = |value: &Value| -> Option<Value> {
        let text = value["body"].as_str().filter(|text| !text.is_empty())?;
        let text = text.replace(&discord, "https://cdn.discordapp.com");
        serde_json::from_str(&constant(&text)).ok()
    };
    Exchange {
        operation: event["routeKey"].as_str().unwrap().to_owned(),
        name: String::new(),
        parameters: parameters(event),
        request: body(event),
        status: reply["statusCode"].as_u64().unwrap() as u16,
        reply: body(reply).map(steady),
    }
}

/// The parameters of path and query.
fn parameters(event: &Value) -> BTreeMap<String, String> {
    let (_, pattern) = event["routeKey"].as_str().unwrap().split_once(' ').unwrap();
    let path = event["rawPath"].as_str().unwrap();
    let of_path = pattern.split('/').zip(path.split('/'));
    let of_path = of_path.filter_map(|(name, value)| {
        let name = name.strip_prefix('{')?.strip_suffix('}')?;
        Some((name.to_owned(), value.to_owned()))
    });
    let query = event["rawQueryString"].as_str().unwrap().split('&');
    let of_query = query.filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    });
    of_path.chain(of_query).collect()
}

/// The text with keys of the development host in the place of those of the tests, and one id
/// in the place of those that are made at random.
fn constant(text: &str) -> String {
    let mut text = text
        .replace(TestApp::API_KEY, "trawl-development-api-key")
        .replace(TestApp::ADMIN_KEY, "trawl-development-admin-key");
    let is_id = |word: &str| shared::queue::JobId::parse(word).is_some();
    let words = text.split('"').map(str::to_owned).collect::<Vec<_>>();
    for id in words.iter().filter(|word| is_id(word)) {
        text = text.replace(id.as_str(), JOB);
    }
    text
}

/// The reply with constants for what depends on the machine.
fn steady(mut reply: Value) -> Value {
    fn visit(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match name.as_str() {
                        "used_memory" | "used_memory_peak" => *value = "1048576".into(),
                        "usedBytes" | "peakBytes" => *value = 1_048_576.into(),
                        "requestId" => *value = "6f1c6ab0-6d9d-4b3f-9f2e-0c8f4f0a1b2c".into(),
                        "latencyMs" => *value = 3.into(),
                        _ => visit(value),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(visit),
            _ => {}
        }
    }
    visit(&mut reply);
    reply
}
