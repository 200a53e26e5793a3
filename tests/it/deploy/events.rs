//! The files of `events/`, each answered by its function.

use std::collections::BTreeMap;

use discord_local::guild::{AttachmentSpec, ChannelSpec, MessageSpec};
use discord_local::{Guild, sample};
use integration::{Options, TestApp};
use serde_json::{Value, json};
use shared::jobs::ChannelScan;
use shared::queue::{JobId, NewJob};

use super::{functions, root};

/// The key the files sign with.
const DEVELOPMENT_KEY: &str = "trawl-development-api-key";
const DEVELOPMENT_ADMIN_KEY: &str = "trawl-development-admin-key";

/// The job the files speak of.
const JOB: &str = "01KB8D00000000000000000000";

/// What must be there before the event.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Given {
    Nothing,
    /// A scan of the sample guild that waits.
    Scan,
    /// One that was cancelled.
    Cancelled,
}

/// What an answer is to say.
#[derive(Clone, Copy)]
enum Then {
    Status(u16),
    /// A drain that completed so many jobs.
    Completed(u64),
}

use Given::{Cancelled, Nothing, Scan};
use Then::{Completed, Status};

const CASES: [(&str, Given, Then); 30] = [
    ("admin-http-metrics", Scan, Status(200)),
    ("admin-http-pause", Nothing, Status(200)),
    ("admin-http-queues", Scan, Status(200)),
    ("admin-http-stats-with-the-wrong-key", Nothing, Status(403)),
    ("clips-http-bad-limit", Nothing, Status(400)),
    ("clips-http-list", Scan, Status(200)),
    ("drain-schedule", Scan, Completed(1)),
    ("drain-wake", Scan, Completed(1)),
    ("enqueue-http-batch", Nothing, Status(202)),
    ("enqueue-http-scan", Nothing, Status(202)),
    ("enqueue-http-scan-bad-body", Nothing, Status(400)),
    ("enqueue-http-unauthenticated", Nothing, Status(401)),
    ("guilds-http-channel", Nothing, Status(200)),
    ("guilds-http-forget", Nothing, Status(204)),
    ("guilds-http-guild", Nothing, Status(200)),
    ("guilds-http-read-settings", Nothing, Status(200)),
    ("guilds-http-write-settings", Nothing, Status(200)),
    ("health-http-redis", Nothing, Status(200)),
    ("jobs-http-cancel", Scan, Status(202)),
    ("jobs-http-get", Scan, Status(200)),
    ("jobs-http-list", Scan, Status(200)),
    ("jobs-http-not-found", Scan, Status(404)),
    ("jobs-http-retry", Cancelled, Status(202)),
    ("scan-statuses-http-channel", Scan, Status(200)),
    ("scan-statuses-http-guild", Scan, Status(200)),
    ("scan-stream-http-bad-cursor", Scan, Status(400)),
    ("scan-stream-http-read", Scan, Status(200)),
    ("scans-current-http-list", Scan, Status(200)),
    ("sessions-http-sign-in", Nothing, Status(201)),
    ("sessions-http-sign-out", Nothing, Status(204)),
];

/// The files by their names without the extension, with the keys of the tests.
fn files() -> BTreeMap<String, Value> {
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

/// The function a file is for: its name begins with the function's.
fn function_of(file: &str) -> String {
    let functions = functions().into_iter();
    let mut matching = functions.filter(|name| file.starts_with(&format!("{name}-")));
    let function = matching.next();
    function.unwrap_or_else(|| panic!("{file} names no function"))
}

/// The sample guild, as far as the files need it.
fn guild() -> Guild {
    let channel = ChannelSpec::text(sample::CLIPS_ID, "clips");
    Guild::empty(sample::GUILD_ID).channel(channel).message(
        sample::CLIPS_ID,
        MessageSpec::text("look").attachment(AttachmentSpec::video("clip.mp4")),
    )
}

async fn system(given: Given) -> TestApp {
    let app = TestApp::start(Options {
        guild: guild(),
        ..Options::default()
    })
    .await;
    if given != Nothing {
        let id = JobId::parse(JOB).unwrap();
        let place = json!({
            "guildId": sample::GUILD_ID.to_string(), "channelId": sample::CLIPS_ID.to_string(),
            "scanMode": "forward",
        });
        let job = NewJob::new(id.clone(), ChannelScan::SCAN, &place).unwrap();
        app.queue().enqueue(job).await.unwrap();
        if given == Cancelled {
            app.queue().cancel(&id).await.unwrap();
        }
    }
    app
}

#[test]
fn every_event_file_has_a_case_and_every_case_a_file() {
    let files: Vec<String> = files().into_keys().collect();
    assert_eq!(files, CASES.map(|(name, _, _)| name.to_owned()));
}

#[test]
fn every_function_has_an_event_file() {
    let mut covered: Vec<String> = files().keys().map(|file| function_of(file)).collect();
    covered.dedup();
    assert_eq!(covered, functions().into_iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn every_event_file_is_answered_as_its_case_promises() {
    let files = files();
    for (name, given, then) in CASES {
        let app = system(given).await;
        let path = format!("/2015-03-31/functions/{}/invocations", function_of(name));
        let reply = app.post(&path, &files[name]).await;
        assert_eq!(reply.status, 200, "{name}: {}", reply.json);
        let (field, expected) = match then {
            Status(status) => ("statusCode", json!(status)),
            Completed(count) => ("completed", json!(count)),
        };
        assert_eq!(reply.json[field], expected, "{name}: {}", reply.json);
        app.stop().await;
    }
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
