//! The cookie of a session: `{role}.{token}.{seal}`.
//!
//! The seal is an HMAC of role and token under the key the session began with. Three things
//! follow. The caller is known without Redis, which the rate limit and idempotency need in
//! the same request that looks the session up. A forged cookie costs no command. And a
//! session ends when its key is replaced. Whether it has ended otherwise, only Redis knows.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

use super::{Request, Role};
use crate::session::Token;

/// With this prefix, browsers accept the cookie only over TLS and send it only to this host.
pub(crate) const NAME: &str = "__Host-trawl-session";

/// The value in the request.
pub(super) fn of(request: &Request) -> Option<&str> {
    let mut cookies = request
        .cookies()
        .filter_map(|cookie| cookie.trim().split_once('='));
    cookies
        .find(|(name, _)| *name == NAME)
        .map(|(_, value)| value)
}

/// The `Set-Cookie` of a value. An empty value with no time removes the cookie.
pub(super) fn set(value: &str, seconds: u64) -> String {
    format!("{NAME}={value}; Path=/; Max-Age={seconds}; HttpOnly; Secure; SameSite=Strict")
}

/// The cookie's value for a session of `role`, begun with `key`.
pub(super) fn seal(role: Role, key: &str, token: &Token) -> String {
    let sealed = text(role, token);
    let tag = hmac::sign(&seal_key(key), sealed.as_bytes());
    format!("{sealed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// The session in a cookie's value, if it was sealed with the key of its role.
pub(super) fn open<K: AsRef<str>>(
    value: &str,
    key_of: impl Fn(Role) -> K,
) -> Option<(Role, Token)> {
    let mut parts = value.splitn(3, '.');
    let role = Role::parse(parts.next()?)?;
    let token = Token::parse(parts.next()?)?;
    let tag = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
    let sealed = text(role, &token);
    hmac::verify(&seal_key(key_of(role).as_ref()), sealed.as_bytes(), &tag).ok()?;
    Some((role, token))
}

fn text(role: Role, token: &Token) -> String {
    format!("{}.{}", role.name(), token.as_str())
}

/// Derived from the key: a seal must not be of use as a signature elsewhere.
fn seal_key(key: &str) -> hmac::Key {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    let derived = hmac::sign(&key, b"trawl session cookie");
    hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(role: Role) -> &'static str {
        match role {
            Role::Api => "the-key-of-the-api",
            Role::Admin => "the-key-of-admins",
        }
    }

    fn sealed(role: Role) -> (String, Token) {
        let token = Token::parse(&URL_SAFE_NO_PAD.encode([7; 32])).unwrap();
        (seal(role, key_of(role), &token), token)
    }

    #[test]
    fn a_cookie_tells_whose_it_is() {
        for role in [Role::Api, Role::Admin] {
            let (value, token) = sealed(role);
            assert_eq!(open(&value, key_of), Some((role, token)));
        }
    }

    #[test]
    fn a_cookie_with_anything_else_in_it_is_none() {
        let (value, _) = sealed(Role::Api);
        let other = URL_SAFE_NO_PAD.encode([8; 32]);
        let parts: Vec<&str> = value.split('.').collect();
        for wrong in [
            format!("admin.{}.{}", parts[1], parts[2]),
            format!("api.{other}.{}", parts[2]),
            format!("api.{}.{other}", parts[1]),
            format!("api.{}", parts[1]),
            format!("{value}."),
            format!("{value}.x"),
            parts[1].to_owned(),
            String::new(),
        ] {
            assert_eq!(open(&wrong, key_of), None, "{wrong}");
        }
    }

    #[test]
    fn a_session_ends_when_its_key_is_replaced() {
        let (value, _) = sealed(Role::Api);
        assert_eq!(open(&value, |_| "another-key-of-the-api"), None);
    }
}
