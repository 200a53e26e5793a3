//! Who calls: the holder of one of two keys, or of a session that began with one.

use std::sync::Arc;

use subtle::ConstantTimeEq as _;

use super::role::{Access, Role};
use super::{ApiError, Request, cookie};
use crate::config::AuthConfig;
use crate::session::Token;

/// Who a request comes from, as far as the request alone shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Shows neither a key nor a session.
    Anonymous,
    /// Has the key.
    Key(Role),
    /// Began a session with the key. Only Redis knows whether it has ended.
    Session(Role, Token),
}

impl Caller {
    /// What its key entitles it to.
    pub fn role(&self) -> Option<Role> {
        match self {
            Caller::Anonymous => None,
            Caller::Key(role) | Caller::Session(role, _) => Some(*role),
        }
    }

    /// Whether it may use a route of this access, provided that its session is valid.
    ///
    /// # Errors
    /// 401 without a known key, which says what `request` shows in its place; 403 with the
    /// wrong one.
    pub(super) fn admit(&self, access: Access, request: &Request) -> Result<(), ApiError> {
        match (access, self.role()) {
            (Access::Open, _) | (Access::Api, Some(_)) | (Access::Admin, Some(Role::Admin)) => {
                Ok(())
            }
            (_, None) => Err(unknown(request)),
            (Access::Admin, Some(Role::Api)) => Err(ApiError::insufficient_scope()),
        }
    }
}

/// Knows the keys.
#[derive(Clone)]
pub struct Auth {
    config: AuthConfig,
}

impl Auth {
    /// Knows these keys.
    pub fn new(config: AuthConfig) -> Auth {
        Auth { config }
    }

    /// Who calls. A key takes precedence over a cookie. An unknown key may be a new one, so
    /// the keys are read again, at most once a minute.
    pub async fn caller(&self, request: &Request) -> Caller {
        self.config.api_key.freshen().await;
        let caller = self.known_caller(request);
        if caller != Caller::Anonymous || !shows_something(request) {
            return caller;
        }
        self.config.api_key.look_for_unknown().await;
        self.known_caller(request)
    }

    /// Who calls, by the keys as this process last read them.
    pub(super) fn known_caller(&self, request: &Request) -> Caller {
        if request.has_header("authorization") {
            return bearer(request)
                .and_then(|key| self.role(key))
                .map_or(Caller::Anonymous, Caller::Key);
        }
        self.session(request)
            .map_or(Caller::Anonymous, |(role, token)| {
                Caller::Session(role, token)
            })
    }

    /// The session in the request's cookie.
    pub fn session(&self, request: &Request) -> Option<(Role, Token)> {
        cookie::open(cookie::of(request)?, |role| self.key(role))
    }

    /// The role of a key, which may have been created just now.
    pub async fn role_of(&self, key: &str) -> Option<Role> {
        if let Some(role) = self.role(key) {
            return Some(role);
        }
        self.config.api_key.look_for_unknown().await;
        self.role(key)
    }

    fn role(&self, key: &str) -> Option<Role> {
        // Both are compared, each in constant time: how long it takes says nothing about
        // either key.
        let is_admin = key.as_bytes().ct_eq(self.key(Role::Admin).as_bytes());
        let is_api = key.as_bytes().ct_eq(self.key(Role::Api).as_bytes());
        if is_admin.into() {
            Some(Role::Admin)
        } else if is_api.into() {
            Some(Role::Api)
        } else {
            None
        }
    }

    /// The `Set-Cookie` of a session begun with the key of `role`.
    pub fn set_cookie(&self, role: Role, token: &Token, seconds: u64) -> String {
        cookie::set(&cookie::seal(role, &self.key(role), token), seconds)
    }

    /// The `Set-Cookie` that removes it.
    pub fn clear_cookie(&self) -> String {
        cookie::set("", 0)
    }

    fn key(&self, role: Role) -> Arc<str> {
        match role {
            Role::Api => self.config.api_key.value(),
            Role::Admin => self.config.admin_key.value(),
        }
    }
}

/// The refusal of a caller who is not known.
fn unknown(request: &Request) -> ApiError {
    if bearer(request).is_some() {
        ApiError::invalid_token()
    } else if cookie::of(request).is_some() && !request.has_header("authorization") {
        ApiError::session_expired()
    } else {
        ApiError::missing_token()
    }
}

/// The key a request is signed with.
pub(super) fn bearer(request: &Request) -> Option<&str> {
    let (scheme, key) = request.header("authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
}

/// Whether a request has a key or a cookie, valid or not.
fn shows_something(request: &Request) -> bool {
    bearer(request).is_some() || cookie::of(request).is_some()
}
