//! How functions start.

use integration::ssm::{Mood, Ssm};
use serde_json::json;

use super::{database, function, request};

const TOKEN: &str = "/trawl/prod/upstash-token";
const API_KEY: &str = "/trawl/prod/api-key";
const ADMIN_KEY: &str = "/trawl/prod/admin-key";
const DISCORD: &str = "/trawl/prod/discord-token";

const THE_API_KEY: &str = "the-api-key-0123456789";

struct System {
    endpoint: upstash_local::Server,
    ssm: Ssm,
}

impl System {
    async fn start() -> System {
        let endpoint = integration::start_endpoint().await;
        let ssm = Ssm::start(&[
            (TOKEN, endpoint.token()),
            (API_KEY, THE_API_KEY),
            (ADMIN_KEY, "the-admin-key-0123456789"),
            (DISCORD, "the-bot-token"),
        ])
        .await;
        System { endpoint, ssm }
    }

    /// The environment of a production function that needs these secrets.
    fn environment(&self, names: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        let mut environment = database(&self.endpoint);
        environment.push(("AWS_ENDPOINT_URL_SSM", self.ssm.url.clone()));
        environment.extend(
            names
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        environment
    }
}

const ROUTE: [(&str, &str); 3] = [
    ("UPSTASH_REDIS_REST_TOKEN_PARAMETER", TOKEN),
    ("TRAWL_API_KEY_PARAMETER", API_KEY),
    ("TRAWL_ADMIN_KEY_PARAMETER", ADMIN_KEY),
];

const JOB: &str = "/api/jobs/01J00000000000000000000000";

#[tokio::test]
async fn a_cold_start_reads_what_the_function_needs_by_one_call() {
    let system = System::start().await;
    let mut jobs = function("jobs", &system.environment(&ROUTE)).await;
    for _ in 0..2 {
        let reply = jobs
            .invoke(&request("GET", JOB, THE_API_KEY, ""))
            .await
            .reply();
        assert_eq!(reply["statusCode"], 404, "{reply}");
    }
    assert_eq!(system.ssm.calls(), [[ADMIN_KEY, API_KEY, TOKEN]]);

    let names = [ROUTE[0], ("DISCORD_TOKEN_PARAMETER", DISCORD)];
    let mut drain = function("drain", &system.environment(&names)).await;
    let report = drain.invoke(&json!({ "source": "aws.scheduler" })).await;
    assert_eq!(report.reply()["claimed"], 0);
    assert_eq!(system.ssm.calls()[1..], [[DISCORD, TOKEN]]);
}

#[tokio::test]
async fn a_function_whose_secrets_are_plain_asks_nobody() {
    let system = System::start().await;
    let plain = [
        ("UPSTASH_REDIS_REST_TOKEN", system.endpoint.token()),
        ("TRAWL_API_KEY", THE_API_KEY),
        ("TRAWL_ADMIN_KEY", "the-admin-key-0123456789"),
    ];
    let mut jobs = function("jobs", &system.environment(&plain)).await;
    let reply = jobs
        .invoke(&request("GET", JOB, THE_API_KEY, ""))
        .await
        .reply();
    assert_eq!(reply["statusCode"], 404);
    assert!(system.ssm.calls().is_empty());
}

/// The last log line of a function that cannot start.
async fn last_words(system: &System, names: &[(&'static str, &str)]) -> String {
    let jobs = function("jobs", &system.environment(names)).await;
    let (status, lines) = jobs.ended().await;
    assert!(!status.success());
    let text = lines.join("\n");
    for value in [
        "the-api-key",
        "the-admin-key",
        system.endpoint.token(),
        "of-the-account",
    ] {
        assert!(!text.contains(value), "{text}");
    }
    text
}

#[tokio::test]
async fn a_parameter_that_is_not_there_is_named_with_its_setting() {
    let system = System::start().await;
    system.ssm.delete(API_KEY);
    system.ssm.delete(TOKEN);
    let text = last_words(&system, &ROUTE).await;
    for name in [API_KEY, "TRAWL_API_KEY", TOKEN, "UPSTASH_REDIS_REST_TOKEN"] {
        assert!(text.contains(name), "{text}");
    }
    assert!(!text.contains(ADMIN_KEY), "{text}");
}

#[tokio::test]
async fn a_parameter_that_cannot_be_used_is_named_without_its_value() {
    let system = System::start().await;
    system.ssm.put(ADMIN_KEY, THE_API_KEY);
    let text = last_words(&system, &ROUTE).await;
    assert!(
        text.contains("TRAWL_ADMIN_KEY: expected another key"),
        "{text}"
    );
}

#[tokio::test]
async fn a_function_without_permission_to_read_its_parameters_names_them() {
    let system = System::start().await;
    system.ssm.set_mood(Mood::Denies);
    let text = last_words(&system, &ROUTE).await;
    assert!(text.contains("ssm:GetParameters"), "{text}");
    system.ssm.set_mood(Mood::Away);
    let text = last_words(&system, &ROUTE).await;
    assert!(
        text.contains("SSM Parameter Store cannot be read"),
        "{text}"
    );
}

#[tokio::test]
async fn a_secret_given_both_by_value_and_by_name_is_refused() {
    let system = System::start().await;
    let mut names = ROUTE.to_vec();
    names.push(("TRAWL_API_KEY", "another-key-0123456789"));
    let text = last_words(&system, &names).await;
    assert!(text.contains("TRAWL_API_KEY: expected either"), "{text}");
}
