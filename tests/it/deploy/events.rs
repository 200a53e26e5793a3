//! Sends each file of `events/` to its function.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use discord_local::guild::{AttachmentSpec, ChannelSpec, MessageSpec};
use discord_local::{Guild, sample};
use integration::{Options, TestApp};
use serde_json::{Value, json};
use shared::jobs::{ChannelScan, ExportJob, GuildScan, ScanOptions};
use shared::queue::JobId;
use shared::scan::ClipQuery;
use shared::uploads::{PART, Session, Uploads};
use tokio::sync::OnceCell;

use super::routes::{Route, in_template, route};
use super::{functions, root};

/// The API key in the files.
const DEVELOPMENT_KEY: &str = "trawl-development-api-key";
const DEVELOPMENT_ADMIN_KEY: &str = "trawl-development-admin-key";

/// Number of wrong keys that are allowed.
const GUESSES: u32 = 5;

/// The job that the files refer to.
pub const JOB: &str = "01KB8D00000000000000000000";

/// The clip that the files refer to.
const CLIP: &str = "1213000000000000001";

/// What must exist before an event, and what the answer must contain. `.ci/run
/// containers` checks the containers against the same list.
pub struct Case {
    pub file: String,
    given: Given,
    field: String,
    value: Value,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Given {
    Nothing,
    /// A waiting scan of the sample guild.
    Scan,
    /// A waiting scan of the guild.
    Guild,
    /// A cancelled scan.
    Cancelled,
    /// A finished scan, and the clip that it found.
    Scanned,
    /// A finished export.
    Exported,
    /// An upload whose only part is there.
    Upload,
    /// The event itself was sent as often as allowed.
    Guessed,
}

/// A file without a line in the table needs nothing and is answered with 200.
fn cases() -> Vec<Case> {
    let mut rows = rows();
    let names = files().into_keys();
    let cases = names.map(|file| {
        rows.remove(&file).unwrap_or_else(|| Case {
            file,
            given: Given::Nothing,
            field: "statusCode".to_owned(),
            value: json!(200),
        })
    });
    let cases = cases.collect();
    assert!(rows.is_empty(), "lines without a file: {:?}", rows.keys());
    cases
}

/// The lines of the table, by file.
fn rows() -> BTreeMap<String, Case> {
    let text = std::fs::read_to_string(root("tests/fixtures/events.txt")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [file, given, field, value] = words[..] else {
                assert!(words.is_empty(), "{line}");
                return None;
            };
            let case = Case {
                file: file.to_owned(),
                given: match given {
                    "nothing" => Given::Nothing,
                    "scan" => Given::Scan,
                    "guild" => Given::Guild,
                    "cancelled" => Given::Cancelled,
                    "scanned" => Given::Scanned,
                    "exported" => Given::Exported,
                    "upload" => Given::Upload,
                    "guessed" => Given::Guessed,
                    _ => panic!("{line}"),
                },
                field: field.to_owned(),
                value: serde_json::from_str(value).unwrap(),
            };
            Some((file.to_owned(), case))
        })
        .collect()
}

/// Returns the function and the event of a route that succeeds without preparation, with
/// the keys of the tests.
pub fn event_of(method: &str, path: &str) -> Option<(String, Value)> {
    let files = files();
    let case = cases().into_iter().find(|case| {
        files[&case.file]["routeKey"] == format!("{method} {path}")
            && case.given == Given::Nothing
            && case.field == "statusCode"
            && case.value.as_i64() < Some(300)
    })?;
    let function = function_of(&case.file);
    Some((function, files[&case.file].clone()))
}

/// The files by name without extension, with the keys of the tests.
pub fn files() -> BTreeMap<String, Value> {
    read(|text| {
        text.replace(DEVELOPMENT_KEY, TestApp::API_KEY)
            .replace(DEVELOPMENT_ADMIN_KEY, TestApp::ADMIN_KEY)
    })
}

fn read(change: impl Fn(String) -> String) -> BTreeMap<String, Value> {
    let entries = std::fs::read_dir(root("events")).unwrap();
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let event = serde_json::from_str(&change(text));
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let event = event.unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, event)
        })
        .collect()
}

/// The function of a file, whose name starts with the name of the function.
fn function_of(file: &str) -> String {
    let functions = functions().into_iter();
    let mut matching = functions.filter(|name| file.starts_with(&format!("{name}-")));
    let function = matching.next();
    function.unwrap_or_else(|| panic!("{file} names no function"))
}

/// The part of the sample guild that the files need.
fn guild() -> Guild {
    let channel = ChannelSpec::text(sample::CLIPS_ID, "clips");
    Guild::empty(sample::GUILD_ID).channel(channel).message(
        sample::CLIPS_ID,
        MessageSpec::text("look").attachment(AttachmentSpec::video("clip.mp4")),
    )
}

pub async fn system(given: Given) -> TestApp {
    let app = TestApp::start(Options {
        guild: guild(),
        // So that a clip can be played.
        probes: (given == Given::Scanned).then_some(Duration::from_secs(5)),
        ..Options::default()
    })
    .await;
    if matches!(given, Given::Scan | Given::Cancelled | Given::Scanned) {
        let id = JobId::parse(JOB).unwrap();
        let scan: ChannelScan = serde_json::from_value(json!({
            "guildId": sample::GUILD_ID.to_string(), "channelId": sample::CLIPS_ID.to_string(),
            "scanMode": "forward",
        }))
        .unwrap();
        let job = scan.into_job(id.clone()).unwrap();
        app.queue().enqueue(job).await.unwrap();
        if given == Given::Cancelled {
            app.queue().cancel(&id).await.unwrap();
        }
    }
    if given == Given::Scanned {
        app.drain().await;
    }
    if given == Given::Exported {
        let export: ExportJob = serde_json::from_value(json!({
            "guildId": sample::GUILD_ID.to_string(), "format": "csv",
        }))
        .unwrap();
        let job = export.into_job(JobId::parse(JOB).unwrap()).unwrap();
        app.queue().enqueue(job).await.unwrap();
        app.drain().await;
    }
    if given == Given::Guild {
        let scan = GuildScan::new(&sample::GUILD_ID.to_string());
        let job = scan.into_job(JobId::parse(JOB).unwrap()).unwrap();
        app.queue().enqueue(job).await.unwrap();
    }
    if given == Given::Upload {
        let session = Session {
            guild_id: sample::GUILD_ID.to_string(),
            size_bytes: 2,
            part_bytes: PART,
            options: ScanOptions::default(),
            finished: false,
        };
        let uploads = Uploads::new(app.redis.clone(), &app.key_prefix);
        uploads.begin(JOB, &session).await.unwrap();
        uploads.part(JOB, 1, b"{}").await.unwrap();
    }
    app
}

#[test]
fn every_function_has_an_event_file() {
    let mut covered: Vec<String> = files().keys().map(|file| function_of(file)).collect();
    covered.dedup();
    assert_eq!(covered, functions().into_iter().collect::<Vec<_>>());
}

/// An event file, and what its function answered.
pub struct Answered {
    pub case: Case,
    pub reply: Value,
    /// Where that system's Discord was.
    pub discord_url: String,
}

/// What the functions answer to the event files, asked once for all tests.
pub async fn answers() -> &'static [Answered] {
    static ANSWERS: OnceCell<Vec<Answered>> = OnceCell::const_new();
    ANSWERS.get_or_init(answer).await
}

async fn answer() -> Vec<Answered> {
    let files = files();
    let mut answers = Vec::new();
    for case in cases() {
        let name = &case.file;
        let app = system(case.given).await;
        let n_guesses = match case.given {
            Given::Guessed => GUESSES,
            _ => 0,
        };
        for _ in 0..n_guesses {
            let guess = invoke(&app, name, &files[name]).await;
            assert_eq!(guess[&case.field], 401, "{name}");
        }
        let event = named_clip(&app, case.given, &files[name]).await;
        let reply = invoke(&app, name, &event).await;
        app.leaves_any_jobs();
        let discord_url = app.discord.url();
        app.stop().await;
        answers.push(Answered {
            case,
            reply,
            discord_url,
        });
    }
    answers
}

/// The event with the clip that a scan found, in place of the one in the file.
async fn named_clip(app: &TestApp, given: Given, event: &Value) -> Value {
    if given != Given::Scanned {
        return event.clone();
    }
    let query = ClipQuery {
        limit: 1,
        ..ClipQuery::default()
    };
    let guild = sample::GUILD_ID.to_string();
    let (clips, _) = app.store().list_clips(&guild, &query).await.unwrap();
    let text = event.to_string().replace(CLIP, &clips[0].id);
    serde_json::from_str(&text).unwrap()
}

/// Sends an event to the function that its file names.
pub async fn invoke(app: &TestApp, file: &str, event: &Value) -> Value {
    let path = format!("/2015-03-31/functions/{}/invocations", function_of(file));
    let reply = app.post(&path, event).await;
    assert_eq!(reply.status, 200, "{file}: {}", reply.json);
    reply.json
}

#[tokio::test]
async fn every_event_file_is_answered_as_its_case_promises() {
    for Answered { case, reply, .. } in answers().await {
        assert_eq!(reply[&case.field], case.value, "{}: {reply}", case.file);
    }
}

#[tokio::test]
async fn without_its_key_an_event_that_succeeds_is_refused() {
    let app = system(Given::Nothing).await;
    let files = files();
    let succeeding = cases().into_iter().filter(|case| {
        case.field == "statusCode"
            && case.value.as_i64() < Some(400)
            && !files[&case.file]["headers"]["authorization"].is_null()
    });
    let mut n_refused = 0;
    for case in succeeding {
        let name = &case.file;
        let mut event = files[name].clone();
        event["headers"]
            .as_object_mut()
            .unwrap()
            .remove("authorization");
        let path = format!("/2015-03-31/functions/{}/invocations", function_of(name));
        let reply = app.post(&path, &event).await;
        assert_eq!(reply.json["statusCode"], 401, "{name}: {}", reply.json);
        n_refused += 1;
    }
    assert!(n_refused > 20, "{n_refused}");
}

#[test]
fn every_route_has_an_event_that_succeeds() {
    let files = files();
    let succeeding = cases()
        .into_iter()
        .filter(|case| case.field == "statusCode" && case.value.as_i64() < Some(400));
    let answered: BTreeSet<Route> = succeeding
        .map(|case| {
            let key = files[&case.file]["routeKey"].as_str().unwrap();
            let (method, path) = key.split_once(' ').unwrap();
            route(&function_of(&case.file), method, path)
        })
        .collect();
    // HEAD is answered like GET.
    let routes = in_template().into_iter();
    let routes = routes.filter(|(_, method, _)| method != "HEAD");
    assert_eq!(answered, routes.collect());
}

#[test]
fn the_events_of_routes_are_whole_events_of_payload_format_2() {
    for (name, event) in read(|text| text) {
        if !name.contains("-http-") {
            continue;
        }
        assert_eq!(event["version"], "2.0", "{name}");
        let http = &event["requestContext"]["http"];
        let (method, path) = (http["method"].as_str(), http["path"].as_str());
        assert!(
            method.is_some() && path == event["rawPath"].as_str(),
            "{name}"
        );
        assert_eq!(event["routeKey"], event["requestContext"]["routeKey"]);
        let length = event["body"].as_str().map(|body| body.len().to_string());
        assert_eq!(
            event["headers"]["content-length"].as_str(),
            length.as_deref()
        );
    }
}
