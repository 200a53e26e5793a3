//! The settings for Discord's API.

use std::net::IpAddr;
use std::time::Duration;

use super::environment::{ConfigError, Environment};
use crate::outbound::Hosts;
use crate::secret::Secret;

/// Discord, or another server with the same API.
#[derive(Clone)]
pub struct DiscordConfig {
    /// The token of the bot, with or without the word `Bot` before it, from
    /// `DISCORD_TOKEN`. It must be a bot's token, because Discord's terms forbid using a
    /// user's.
    pub token: Secret,
    /// The address of the API up to, but not including, `/channels`, from
    /// `DISCORD_API_BASE`. Defaults to version 10 of Discord's API.
    pub api_base: String,
    /// The shortest time between two pages of one channel, in milliseconds, from
    /// `DISCORD_PAGE_INTERVAL_MS`. Defaults to 1000, which is what Discord grants.
    pub page_interval: Duration,
    /// The hosts that video files may be read from, separated by commas, from
    /// `DISCORD_CDN_HOSTS`: `host` or `host:port`. Defaults to those of Discord's CDN. With
    /// `none`, no file is looked at, and clips keep the length that Discord declares.
    pub cdn_hosts: Option<Hosts>,
    /// The longest time for looking inside one file, in milliseconds, from
    /// `CLIP_PROBE_MS`. Defaults to 10000; 100 to 60000.
    pub probe_time: Duration,
}

/// The hosts of Discord's CDN.
const CDN_HOSTS: &str = "cdn.discordapp.com,media.discordapp.net";

impl DiscordConfig {
    /// Reads this section.
    ///
    /// # Errors
    /// A variable is missing or wrong.
    pub fn read(env: &Environment<'_>) -> Result<DiscordConfig, ConfigError> {
        let api_base = env
            .text("DISCORD_API_BASE")
            .unwrap_or_else(|| "https://discord.com/api/v10".into());
        if !keeps_secret(&api_base) {
            return Err(ConfigError::Invalid {
                name: "DISCORD_API_BASE",
                expected: "an address beginning with https:// and ending before /channels; the \
                           token is sent over http:// to this machine alone",
            });
        }
        Ok(DiscordConfig {
            token: env.secret("DISCORD_TOKEN")?,
            api_base: api_base.trim_end_matches('/').to_owned(),
            page_interval: DiscordConfig::page_interval(env)?.unwrap_or(Duration::from_secs(1)),
            cdn_hosts: cdn_hosts(env)?,
            probe_time: Duration::from_millis(env.number(
                "CLIP_PROBE_MS",
                10_000,
                100..=60_000,
                "milliseconds",
            )?),
        })
    }

    /// Reads the shortest time between two pages, if one is set.
    ///
    /// # Errors
    /// The value cannot be read.
    pub fn page_interval(env: &Environment<'_>) -> Result<Option<Duration>, ConfigError> {
        let name = "DISCORD_PAGE_INTERVAL_MS";
        if env.text(name).is_none() {
            return Ok(None);
        }
        let ms = env.number(name, 0, 0..=60_000, "milliseconds")?;
        Ok(Some(Duration::from_millis(ms)))
    }
}

fn cdn_hosts(env: &Environment<'_>) -> Result<Option<Hosts>, ConfigError> {
    let name = "DISCORD_CDN_HOSTS";
    let text = env.text(name).unwrap_or_else(|| CDN_HOSTS.to_owned());
    if text.trim().eq_ignore_ascii_case("none") {
        return Ok(None);
    }
    let expected = "the names of hosts, separated by commas, or `none`";
    let hosts = Hosts::listed(&text).ok_or(ConfigError::Invalid { name, expected })?;
    Ok(Some(hosts))
}

/// The name by which a container reaches the machine it runs on. Nobody can register it as
/// a domain.
const OWN_MACHINE: &str = "host.docker.internal";

/// Whether a token may be sent to an address: to any over TLS, to this machine without it.
fn keeps_secret(address: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(address) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default();
    let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let is_here = match ip {
        Ok(ip) => ip.to_canonical().is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost") || host == OWN_MACHINE,
    };
    // The text before an `@` would be sent as a password.
    let is_plain = url.username().is_empty() && url.password().is_none();
    is_plain && !host.is_empty() && (url.scheme() == "https" || url.scheme() == "http" && is_here)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_from_discord_only_unless_hosts_are_listed() {
        let hosts = |text: &'static str| {
            let env = Environment::from(move |name| {
                (name == "DISCORD_CDN_HOSTS").then(|| text.to_owned())
            });
            cdn_hosts(&env)
        };
        let default = hosts("").unwrap().unwrap();
        assert!(default.check("https://cdn.discordapp.com/a").is_ok());
        assert!(default.check("https://evil.example/a").is_err());
        assert_eq!(hosts("none"), Ok(None));
        assert_eq!(hosts(" NONE "), Ok(None));
        let own = hosts("cdn.example.com, 127.0.0.1:8078").unwrap().unwrap();
        assert!(own.check("http://127.0.0.1:8078/a").is_ok());
        assert!(own.check("https://cdn.discordapp.com/a").is_err());
        for wrong in ["https://cdn.example.com", ",", "a/b"] {
            assert!(hosts(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_token_leaves_this_machine_only_over_tls() {
        for address in [
            "https://discord.com/api/v10",
            "http://127.0.0.1:8078/api/v10",
            "http://[::1]:8078/api/v10",
            "http://localhost:8078/api/v10",
            "http://host.docker.internal:8078/api/v10",
        ] {
            assert!(keeps_secret(address), "{address}");
        }
        for address in [
            "http://discord.com/api/v10",
            "http://10.0.0.1/api/v10",
            "http://172.17.0.1:8078/api/v10",
            "http://localhost.evil.example/api",
            "http://127.0.0.1.evil.example/api",
            "http://127.0.0.1@evil.example/api",
            "http://localhost:x@evil.example/api",
            "http://0.0.0.0/api",
            "ftp://discord.com/api",
            "discord.com/api",
            "https://",
            "",
        ] {
            assert!(!keeps_secret(address), "{address}");
        }
    }
}
