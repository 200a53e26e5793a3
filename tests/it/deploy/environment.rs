//! The settings functions are given, in the cloud and under `cargo lambda watch`.

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
        let asks_discord = is_drain || name == "guilds";
        assert_eq!(settings.contains("DISCORD_TOKEN"), asks_discord, "{name}");
        let wakes = name == "enqueue" || is_drain;
        assert_eq!(settings.contains("DRAIN_FUNCTION"), wakes, "{name}");
    }
}

#[test]
fn every_setting_of_the_template_is_one_that_is_read() {
    let files = [
        "config.rs",
        "config/drain.rs",
        "config/http.rs",
        "config/metrics.rs",
        "config/queue.rs",
    ];
    let config = files
        .map(|file| std::fs::read_to_string(root(&format!("shared/src/{file}"))).unwrap())
        .concat();
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
    // Invokes are synchronous there: a wake would wait for the whole drain.
    assert_eq!(WakerConfig::read(&environment).function, None);
}
