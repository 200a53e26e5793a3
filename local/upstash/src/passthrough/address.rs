//! The address of a real server: `redis://[user[:password]@]host[:port][/database]`.

use std::fmt;
use std::str::FromStr;

use hyper::Uri;

use crate::wire::request::percent_decode;

const DEFAULT_PORT: u16 = 6379;

/// The address of a Redis or Valkey server. Its printed form never contains the password.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl {
    host: String,
    port: u16,
    /// The arguments of AUTH: none, a password, or a user and a password.
    credentials: Vec<Vec<u8>>,
    database: usize,
}

/// Why a text is not a server address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedisUrlError {
    #[error("not a URL of the form redis://user:password@host:port/database")]
    Malformed,
    #[error("only redis:// is supported, not TLS or Unix sockets")]
    Scheme,
    #[error("the path must be a database number")]
    Database,
}

impl RedisUrl {
    /// The same server with a different first database.
    #[must_use]
    pub fn with_database(mut self, database: usize) -> Self {
        self.database = database;
        self
    }

    /// The database of the first token. The other tokens use the databases after it.
    pub fn database(&self) -> usize {
        self.database
    }

    pub(super) fn host_and_port(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    pub(super) fn credentials(&self) -> &[Vec<u8>] {
        &self.credentials
    }
}

impl FromStr for RedisUrl {
    type Err = RedisUrlError;

    fn from_str(text: &str) -> Result<Self, RedisUrlError> {
        let uri: Uri = text.parse().map_err(|_| RedisUrlError::Malformed)?;
        if uri.scheme_str() != Some("redis") {
            return Err(RedisUrlError::Scheme);
        }
        let authority = uri.authority().ok_or(RedisUrlError::Malformed)?;
        let credentials = match authority.as_str().rsplit_once('@') {
            Some((user_info, _)) => credentials(user_info),
            None => Vec::new(),
        };
        let host = authority.host();
        let host = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        if host.is_empty() {
            return Err(RedisUrlError::Malformed);
        }
        let database = match uri.path().trim_start_matches('/') {
            "" => 0,
            number => number.parse().map_err(|_| RedisUrlError::Database)?,
        };
        Ok(Self {
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(DEFAULT_PORT),
            credentials,
            database,
        })
    }
}

/// `user:password` or `:password`. A user without a password does not authenticate.
fn credentials(user_info: &str) -> Vec<Vec<u8>> {
    let Some((user, password)) = user_info.split_once(':') else {
        return Vec::new();
    };
    [user, password]
        .iter()
        .filter(|part| !part.is_empty())
        .map(|part| percent_decode(part, false))
        .collect()
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RedisUrl({self}/{})", self.database)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_but_the_host_may_be_missing() {
        let whole: RedisUrl = "redis://me:p%40ss:w@example.test:7000/3".parse().unwrap();
        assert_eq!(whole.host_and_port(), ("example.test", 7000));
        assert_eq!(whole.credentials(), [b"me".to_vec(), b"p@ss:w".to_vec()]);
        assert_eq!(whole.database(), 3);
        let short: RedisUrl = "redis://[::1]".parse().unwrap();
        assert_eq!(short.host_and_port(), ("::1", 6379));
        assert!(short.credentials().is_empty());
        let password: RedisUrl = "redis://:secret@localhost/".parse().unwrap();
        assert_eq!(password.credentials(), [b"secret".to_vec()]);
    }

    #[test]
    fn what_is_printed_holds_no_password() {
        let url: RedisUrl = "redis://me:secret@localhost:1/2".parse().unwrap();
        assert_eq!(
            format!("{url} {url:?}"),
            "localhost:1 RedisUrl(localhost:1/2)"
        );
    }

    #[test]
    fn other_addresses_are_refused() {
        for (text, error) in [
            ("rediss://localhost", RedisUrlError::Scheme),
            ("localhost:6379", RedisUrlError::Scheme),
            ("redis://localhost/x", RedisUrlError::Database),
            ("redis://", RedisUrlError::Malformed),
        ] {
            assert_eq!(text.parse::<RedisUrl>(), Err(error), "{text}");
        }
    }
}
