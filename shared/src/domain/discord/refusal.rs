//! Interprets answers of Discord other than 200.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde::Deserialize;

use super::Error;

/// How long an IP address is left alone after a ban without a stated duration.
const UNTOLD_BAN: Duration = Duration::from_secs(600);

/// The fields of an error body. They may have any type, because servers differ.
#[derive(Deserialize, Default)]
struct Refusal {
    #[serde(default)]
    code: serde_json::Value,
    #[serde(default)]
    retry_after: serde_json::Value,
    #[serde(default)]
    global: serde_json::Value,
}

/// Codes for missing access or a missing permission, whatever the status.
const NO_PERMISSION: [i64; 2] = [50_001, 50_013];

/// Codes for an unknown channel, guild or message, whatever the status.
const UNKNOWN: [i64; 3] = [10_003, 10_004, 10_008];

/// Converts an answer with another status than 200 into an error.
pub(super) fn refusal(status: u16, headers: &HeaderMap, body: &[u8]) -> Error {
    let json: Option<Refusal> = serde_json::from_slice(body).ok();
    let code = json
        .as_ref()
        .and_then(|refusal| refusal.code.as_i64())
        .unwrap_or(0);
    match status {
        429 => limited(json.unwrap_or_default(), headers),
        500.. => Error::Unavailable { status },
        _ if NO_PERMISSION.contains(&code) => Error::Forbidden { code },
        _ if UNKNOWN.contains(&code) => Error::NotFound { code },
        401 => Error::Unauthorized,
        // How some compatible servers reject a token.
        400 if code == 40001 => Error::Unauthorized,
        403 => Error::Forbidden { code },
        404 => Error::NotFound { code },
        // A proxy that answers temporarily in place of Discord.
        408 | 425 => Error::Unavailable { status },
        400..=499 => Error::BadRequest { status, code },
        _ => Error::Unavailable { status },
    }
}

fn limited(refusal: Refusal, headers: &HeaderMap) -> Error {
    let header = number(headers, "retry-after");
    let is = |name: &str, word: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.trim().eq_ignore_ascii_case(word))
    };
    match refusal.retry_after.as_f64() {
        // For shared limits the header can be far longer than the body.
        Some(seconds) => Error::RateLimited {
            wait: seconds_of(seconds.max(header.unwrap_or(0.0))),
            global: refusal.global == serde_json::Value::Bool(true)
                || is("x-ratelimit-global", "true")
                || is("x-ratelimit-scope", "global"),
            shared: is("x-ratelimit-scope", "shared"),
        },
        None => Error::Banned(header.map_or(UNTOLD_BAN, seconds_of)),
    }
}

pub(super) fn number(headers: &HeaderMap, name: &str) -> Option<f64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// A wait of at most a day, whatever the header says.
pub(super) fn seconds_of(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds.clamp(0.0, 86_400.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(k, v)| ((*k).try_into().unwrap(), v.parse().unwrap()))
            .collect()
    }

    #[test]
    fn each_refusal_is_an_error_of_its_own() {
        let seconds = |error: Error| match error {
            Error::RateLimited { wait, .. } => wait.as_secs_f64(),
            other => panic!("{other}"),
        };
        assert_eq!(
            seconds(refusal(
                429,
                &headers(&[]),
                br#"{"retry_after": 1.5, "global": false}"#
            )),
            1.5
        );
        let shared = headers(&[("retry-after", "1337"), ("x-ratelimit-scope", "shared")]);
        assert_eq!(
            seconds(refusal(429, &shared, br#"{"retry_after": 1.5}"#)),
            1337.0
        );
        let html = refusal(
            429,
            &headers(&[("retry-after", "82721")]),
            b"<html>1015</html>",
        );
        assert!(matches!(html, Error::Banned(wait) if wait.as_secs() == 82721));
        let blocked = refusal(429, &headers(&[]), br#"{"code": 0, "message": "blocked"}"#);
        assert!(matches!(blocked, Error::Banned(UNTOLD_BAN)));
        assert!(matches!(
            refusal(403, &headers(&[]), b"{}"),
            Error::Forbidden { .. }
        ));
        for status in [400, 401, 403] {
            let missing = refusal(status, &headers(&[]), br#"{"code": 50013}"#);
            assert!(
                matches!(missing, Error::Forbidden { code: 50_013 }),
                "{missing}"
            );
        }
        let global = headers(&[("x-ratelimit-global", "true")]);
        for (headers, body) in [
            (headers(&[]), &br#"{"retry_after": 1, "global": true}"#[..]),
            (global, br#"{"retry_after": 1}"#),
        ] {
            let limited = refusal(429, &headers, body);
            assert!(matches!(limited, Error::RateLimited { global: true, .. }));
        }
        assert!(matches!(
            refusal(400, &headers(&[]), br#"{"code": 40001}"#),
            Error::Unauthorized
        ));
        assert!(matches!(
            refusal(502, &headers(&[]), b"<html>"),
            Error::Unavailable { status: 502 }
        ));
    }
}
