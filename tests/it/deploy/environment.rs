//! The settings of the functions in the cloud and under `cargo lambda watch`.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use shared::config::{
    AuthConfig, DiscordConfig, Environment, Provider, QueueConfig, RedisConfig, WakerConfig,
};

use super::template::{deployed, settings};
use super::{lambda_metadata, root};

const KEYS: [&str; 2] = ["TRAWL_API_KEY", "TRAWL_ADMIN_KEY"];
const DATABASE: [&str; 2] = ["UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"];

#[test]
fn a_deployed_function_has_the_secrets_it_reads_and_none_of_another() {
    for (name, function) in deployed() {
        let settings = settings(&function);
        let is_drain = name == "drain";
        assert!(DATABASE.iter().all(|secret| settings.contains(*secret)));
        assert!(
            KEYS.iter().all(|key| settings.contains(*key) != is_drain),
            "{name}"
        );
        let asks_discord = is_drain || name == "guilds" || name == "clips";
        assert_eq!(settings.contains("DISCORD_TOKEN"), asks_discord, "{name}");
        let wakes = ["enqueue", "clips", "uploads"].contains(&name.as_str()) || is_drain;
        assert_eq!(settings.contains("DRAIN_FUNCTION"), wakes, "{name}");
    }
}

#[test]
fn every_setting_of_the_template_is_one_that_is_read() {
    let sections = std::fs::read_dir(root("shared/src/base/config")).unwrap();
    let config: String = sections
        .map(|section| std::fs::read_to_string(section.unwrap().path()).unwrap())
        .collect();
    for (name, function) in deployed() {
        for setting in settings(&function) {
            assert!(
                config.contains(&format!("\"{setting}\"")),
                "{name}: nothing reads {setting}"
            );
        }
    }
}

#[test]
fn the_functions_can_start_with_what_cargo_lambda_watch_gives_them() {
    let metadata = lambda_metadata();
    let given = metadata["env"].as_object().unwrap();
    let environment = Environment::from(|name| given.get(name)?.as_str().map(str::to_owned));
    let redis = RedisConfig::read(&environment).unwrap();
    assert_eq!(redis.provider, Provider::Local);
    assert!(AuthConfig::read(&environment).is_ok());
    assert!(QueueConfig::read(&environment).is_ok());
    assert!(DiscordConfig::read(&environment).is_ok());
    // Invocations are synchronous there, so waking a drainer would wait for the whole
    // drain.
    assert_eq!(WakerConfig::read(&environment).function, None);
}

#[test]
fn sam_local_gives_what_cargo_lambda_watch_gives_and_wakes_nobody() {
    let given = sam_local();
    let mut names: Vec<&String> = given.keys().collect();
    names.retain(|name| *name != "DRAIN_FUNCTION");
    let metadata = lambda_metadata();
    let mut watched: Vec<&String> = metadata["env"].as_object().unwrap().keys().collect();
    watched.sort();
    names.sort();
    assert_eq!(names, watched);

    let environment = Environment::from(|name| given.get(name)?.as_str().map(str::to_owned));
    let redis = RedisConfig::read(&environment).unwrap();
    assert_eq!(redis.provider, Provider::Local);
    assert!(AuthConfig::read(&environment).is_ok());
    assert!(DiscordConfig::read(&environment).is_ok());
    assert_eq!(WakerConfig::read(&environment).function, None);
}

/// SAM silently drops a variable that the template does not define for the function.
#[test]
fn the_template_names_every_setting_that_sam_local_changes() {
    let named: BTreeSet<String> = deployed().values().flat_map(settings).collect();
    let given = sam_local();
    let unnamed: Vec<&String> = given.keys().filter(|name| !named.contains(*name)).collect();
    assert!(unnamed.is_empty(), "{unnamed:?}");
    for (name, function) in deployed() {
        let settings = settings(&function);
        let has = |setting: &str| settings.contains(setting);
        assert!(has("REDIS_PROVIDER"), "{name}");
        assert_eq!(has("DISCORD_TOKEN"), has("DISCORD_API_BASE"), "{name}");
    }
}

/// The variables that `sam local` gives every function, as configured in samconfig.toml.
fn sam_local() -> Map<String, Value> {
    let text = std::fs::read_to_string(root("local/sam-local.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    file["Parameters"].as_object().unwrap().clone()
}
