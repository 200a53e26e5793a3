//! The development host.

use std::net::Ipv4Addr;

use dev::{ImportCommand, System, UpCommand};
use integration::TestApp;
use serde_json::{Value, json};
use shared::config::Environment;

use crate::scan::GUILD;

fn command(data: &std::path::Path, embedded: bool) -> UpCommand {
    UpCommand {
        listen: "127.0.0.1:0".parse().unwrap(),
        services: Ipv4Addr::LOCALHOST.into(),
        host_names: Vec::new(),
        data: data.to_owned(),
        embedded,
        no_scan: false,
    }
}

async fn ask(system: &System, request: reqwest::RequestBuilder) -> Value {
    let keyed = request.bearer_auth(system.auth.api_key.value());
    keyed.send().await.unwrap().json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_system_starts_from_nothing_scans_and_keeps_its_data() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = || Environment::from(|_| None);
    let http = shared::http_client().unwrap();
    let system = System::start(&command(folder.path(), false), &nothing())
        .await
        .unwrap();
    let url = system.host.url();
    let body = json!({
        "guildId": discord_local::sample::GUILD_ID.to_string(),
        "channelId": discord_local::sample::VOICE_ID.to_string(),
    });
    let created = ask(
        &system,
        http.post(format!("{url}/api/jobs/scan")).json(&body),
    )
    .await;
    let job = format!("/api/jobs/{}", created["jobId"].as_str().unwrap());
    // Bounded: the job ends on its own, started by a wake-up or the schedule.
    let done = loop {
        let job = ask(&system, http.get(format!("{url}{job}"))).await;
        if job["finishedAt"].is_i64() {
            break job;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(done["state"], "completed", "{done}");
    system.stop().await;

    let again = System::start(&command(folder.path(), false), &nothing())
        .await
        .unwrap();
    let kept = ask(&again, http.get(format!("{}{job}", again.host.url()))).await;
    assert_eq!(kept["returnvalue"], done["returnvalue"]);
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_discordchatexporter_is_imported() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = Environment::from(|_| None);
    let system = System::start(&command(folder.path(), false), &nothing)
        .await
        .unwrap();
    let import = |name: &str| ImportCommand {
        file: folder.path().join(name),
        url: system.host.url(),
        data: folder.path().to_owned(),
        show: 5,
    };
    std::fs::write(folder.path().join("clips.json"), crate::uploads::file(700)).unwrap();
    dev::import(import("clips.json")).await.unwrap();
    let url = format!("{}/api/guilds/{GUILD}/clips?limit=100", system.host.url());
    let http = shared::http_client().unwrap();
    let clips = ask(&system, http.get(url)).await;
    assert_eq!(clips["clips"].as_array().unwrap().len(), 70);
    for (text, reason) in [
        (
            "<html>",
            "the file is not a JSON export of DiscordChatExporter",
        ),
        ("", "the file is not a JSON export of DiscordChatExporter"),
        ("{\"guild\":", "the export ends in the middle"),
    ] {
        std::fs::write(folder.path().join("odd.json"), text).unwrap();
        let error = dev::import(import("odd.json")).await.unwrap_err();
        assert_eq!(error.to_string(), reason, "{text}");
    }
    let missing = dev::import(import("missing.json")).await.unwrap_err();
    assert!(missing.to_string().ends_with("missing.json"), "{missing}");
    system.stop().await;
}

#[tokio::test]
async fn the_hosts_address_says_where_to_go_and_shows_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = Environment::from(|_| None);
    let system = System::start(&command(folder.path(), false), &nothing)
        .await
        .unwrap();
    let http = shared::http_client().unwrap();
    let page = http.get(system.host.url()).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    for link in ["/api/health/redis", "/openapi.json"] {
        assert!(page.contains(&format!("href=\"{link}\"")), "{page}");
        let url = format!("{}{link}", system.host.url());
        assert_eq!(http.get(url).send().await.unwrap().status(), 200, "{link}");
    }
    for key in [&system.auth.api_key, &system.auth.admin_key] {
        assert!(!page.contains(&*key.value()), "{page}");
    }
    let guild = discord_local::sample::GUILD_ID.to_string();
    assert!(page.contains(&guild), "{page}");
    system.stop().await;
}

#[tokio::test]
async fn a_configured_database_that_does_not_answer_is_an_error_that_offers_the_embedded_one() {
    let folder = tempfile::tempdir().unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let configured = || {
        Environment::from(move |name| match name {
            "REDIS_PROVIDER" => Some("local".to_owned()),
            "UPSTASH_REDIS_REST_URL" => Some(format!("http://{closed}")),
            "UPSTASH_REDIS_REST_TOKEN" => Some("secret-token".to_owned()),
            _ => None,
        })
    };
    let error = System::start(&command(folder.path(), false), &configured())
        .await
        .err()
        .unwrap();
    let told = format!("{error:#}");
    assert!(
        told.contains("does not answer") && told.contains("--embedded"),
        "{told}"
    );
    assert!(!told.contains("secret-token"), "{told}");
    assert!(
        std::fs::read_dir(folder.path()).unwrap().next().is_none(),
        "switched silently"
    );

    let embedded = System::start(&command(folder.path(), true), &configured())
        .await
        .unwrap();
    embedded.stop().await;
}

#[tokio::test]
async fn a_configured_database_is_the_one_that_is_used() {
    let app = TestApp::start(integration::Options::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let (url, token) = (app.endpoint.url(), app.endpoint.token().to_owned());
    let environment = Environment::from(move |name| match name {
        "REDIS_PROVIDER" => Some("local".to_owned()),
        "UPSTASH_REDIS_REST_URL" => Some(url.clone()),
        "UPSTASH_REDIS_REST_TOKEN" => Some(token.clone()),
        _ => None,
    });
    app.endpoint.reset_meter();
    let system = System::start(&command(folder.path(), false), &environment)
        .await
        .unwrap();
    assert_eq!(app.endpoint.meter().commands.get("ping"), Some(&1));
    system.stop().await;
}

#[tokio::test]
async fn each_data_folder_has_keys_of_its_own_and_keeps_them() {
    let nothing = || Environment::from(|_| None);
    let keys = async |folder: &std::path::Path| {
        let command = command(folder, true);
        let system = System::start(&command, &nothing()).await.unwrap();
        let told = system.introduction(&command);
        let keys = [
            &system.auth.api_key,
            &system.auth.admin_key,
            &system.redis.token,
        ];
        let keys = keys.map(|key| key.value().to_string());
        for key in &keys {
            assert!(key.len() >= 32 && !key.contains("development"), "{key}");
            assert!(told.contains(key.as_str()), "{told}");
        }
        assert!(
            told.lines().all(|line| line.chars().count() <= 80),
            "{told}"
        );
        system.stop().await;
        keys
    };
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = keys(one.path()).await;
    assert_eq!(keys(one.path()).await, first);
    let second = keys(other.path()).await;
    assert!(first.iter().all(|key| !second.contains(key)));
    for file in std::fs::read_dir(one.path()).unwrap() {
        use std::os::unix::fs::PermissionsExt as _;
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", file.path());
    }
}

#[tokio::test]
async fn keys_in_the_environment_override_those_in_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let environment = Environment::from(|name| match name {
        "TRAWL_API_KEY" => Some("the-key-of-the-environment".to_owned()),
        "UPSTASH_REDIS_REST_TOKEN" => Some("the-token-of-the-environment".to_owned()),
        "DISCORD_PAGE_INTERVAL_MS" => Some("1234".to_owned()),
        _ => None,
    });
    let system = System::start(&command(folder.path(), false), &environment)
        .await
        .unwrap();
    assert_eq!(&*system.auth.api_key.value(), "the-key-of-the-environment");
    assert_eq!(&*system.redis.token.value(), "the-token-of-the-environment");
    assert_eq!(system.discord.page_interval.as_millis(), 1234);
    system.stop().await;
}

#[tokio::test]
async fn a_port_in_use_is_reported_and_leaves_no_folder_behind() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let data = folder.path().join("data");
    let command = UpCommand {
        listen: taken.local_addr().unwrap().to_string().parse().unwrap(),
        ..command(&data, false)
    };
    let nothing = Environment::from(|_| None);
    let error = System::start(&command, &nothing).await.err().unwrap();
    assert!(error.to_string().contains("--listen"), "{error}");
    assert!(!data.exists());
}
