//! Secrets in SSM Parameter Store that change while functions are running.

mod away;
mod callers;
mod tokens;

use std::time::Duration;

use integration::ssm::{Parameters, Ssm};
use integration::{Options, TestApp};

const REDIS: (&str, &str) = ("UPSTASH_REDIS_REST_TOKEN", "/trawl/upstash-token");
const DISCORD: (&str, &str) = ("DISCORD_TOKEN", "/trawl/discord-token");
const API_KEY: (&str, &str) = ("TRAWL_API_KEY", "/trawl/api-key");
const ADMIN_KEY: (&str, &str) = ("TRAWL_ADMIN_KEY", "/trawl/admin-key");

/// A system with some secrets in the store, with these values.
async fn with_kept(secrets: &[((&'static str, &'static str), &str)]) -> (TestApp, Ssm) {
    let values: Vec<(&str, &str)> = secrets.iter().map(|((_, name), v)| (*name, *v)).collect();
    let ssm = Ssm::start(&values).await;
    let app = TestApp::start(Options {
        guild: crate::scan::guild_with(1, 1),
        parameters: Some(Parameters {
            ssm: ssm.clone(),
            settings: secrets.iter().map(|(setting, _)| *setting).collect(),
        }),
        ..Options::default()
    })
    .await;
    assert_eq!(ssm.calls().len(), 1);
    (app, ssm)
}

/// The status that a caller with this key gets.
async fn status(app: &TestApp, key: &str) -> u16 {
    let request = app.http().get(app.path("/api/jobs?state=waiting"));
    app.send_plain(request.bearer_auth(key)).await.status
}

const MINUTE: Duration = Duration::from_secs(60);
