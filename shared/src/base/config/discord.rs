//! The settings for Discord's API.

use std::net::IpAddr;
use std::time::Duration;

use super::environment::{ConfigError, Environment};
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
}

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
