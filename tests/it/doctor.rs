//! `dev doctor` with healthy and unhealthy databases.

use dev::doctor::{Finding, examine};
use integration::start_endpoint;
use shared::clock::Clock;
use shared::config::{Provider, RedisConfig};
use shared::redis::commands::Server as _;
use upstash_local::{Fault, FaultAction, Server};

fn config(server: &Server) -> RedisConfig {
    RedisConfig {
        provider: Provider::Local,
        url: server.url(),
        token: server.token().into(),
        key_prefix: "trawl:".to_owned(),
        ca_file: None,
    }
}

fn failed(findings: &[Finding]) -> Vec<&'static str> {
    let failed = findings.iter().filter(|f| f.outcome.is_err());
    failed.map(|finding| finding.check).collect()
}

#[tokio::test]
async fn a_healthy_database_passes_and_is_left_as_it_was() {
    let server = start_endpoint().await;
    let clock = Clock::system();
    let findings = examine(&config(&server), &clock).await.unwrap();
    assert!(failed(&findings).is_empty(), "{findings:#?}");
    let names: Vec<&str> = findings.iter().map(|finding| finding.check).collect();
    assert_eq!(
        names,
        [
            "connectivity",
            "set and get",
            "cache",
            "rate limiter",
            "lock",
            "queue",
            "stream",
            "monitoring",
            "cleanup"
        ]
    );
    let redis = shared::redis::connect(&config(&server), &clock).unwrap();
    assert_eq!(redis.dbsize().await.unwrap(), 0);
}

#[tokio::test]
async fn a_wrong_token_and_a_missing_database_are_reported_once_and_clearly() {
    let server = start_endpoint().await;
    let wrong = RedisConfig {
        token: "wrong".into(),
        ..config(&server)
    };
    let away = config(&server);
    let clock = Clock::system();
    let findings = examine(&wrong, &clock).await.unwrap();
    assert_eq!(findings.len(), 8);
    let said = findings[0].outcome.as_ref().unwrap_err();
    assert!(said.contains("refused the token"), "{said}");
    for finding in &findings[1..] {
        let said = finding.outcome.as_ref().unwrap_err();
        assert!(said.starts_with("skipped"), "{said}");
    }
    server.stop().await;
    let findings = examine(&away, &clock).await.unwrap();
    let said = findings[0].outcome.as_ref().unwrap_err();
    assert!(said.contains("cannot be reached"), "{said}");
}

#[tokio::test]
async fn a_service_without_scripts_fails_where_they_are_needed_and_is_cleaned_all_the_same() {
    let server = start_endpoint().await;
    for name in ["evalsha", "eval"] {
        let fault = Fault::new(FaultAction::Status(500)).matching(name);
        server.faults().add(fault.times(u32::MAX));
    }
    let clock = Clock::system();
    let findings = examine(&config(&server), &clock).await.unwrap();
    assert_eq!(
        failed(&findings),
        ["rate limiter", "queue"],
        "{findings:#?}"
    );
    server.faults().clear();
    let redis = shared::redis::connect(&config(&server), &clock).unwrap();
    assert_eq!(redis.dbsize().await.unwrap(), 0);
}
