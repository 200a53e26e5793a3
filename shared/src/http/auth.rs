//! Who calls: by one of two keys, or by a session that was begun with one.

use subtle::ConstantTimeEq as _;

use super::{ApiError, Request, cookie};
use crate::config::AuthConfig;
use crate::session::Token;

/// What a route asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    Open,
    /// Either key.
    Api,
    /// The admin key.
    Admin,
}

/// What a key makes of who has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Api,
    Admin,
}

impl Role {
    pub fn name(self) -> &'static str {
        match self {
            Role::Api => "api",
            Role::Admin => "admin",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Role> {
        let mut roles = [Role::Api, Role::Admin].into_iter();
        roles.find(|role| role.name() == name)
    }
}

/// Who a request comes from, as far as it tells by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    Anonymous,
    /// Has the key.
    Key(Role),
    /// Once had the key and began a session with it, which may be over.
    Session(Role, Token),
}

impl Caller {
    pub fn role(&self) -> Option<Role> {
        match self {
            Caller::Anonymous => None,
            Caller::Key(role) | Caller::Session(role, _) => Some(*role),
        }
    }

    /// Whether it may use a route of this access, should its session go on.
    ///
    /// # Errors
    /// 401 without a known key, 403 with the wrong one.
    pub(super) fn admit(&self, access: Access) -> Result<(), ApiError> {
        match (access, self.role()) {
            (Access::Open, _) | (Access::Api, Some(_)) | (Access::Admin, Some(Role::Admin)) => {
                Ok(())
            }
            (_, None) => Err(ApiError::unauthorized()),
            (Access::Admin, Some(Role::Api)) => Err(ApiError::forbidden()),
        }
    }
}

/// Knows the keys.
#[derive(Clone)]
pub struct Auth {
    config: AuthConfig,
}

impl Auth {
    pub fn new(config: AuthConfig) -> Auth {
        Auth { config }
    }

    /// Who calls. A key that is sent counts, not the cookie beside it.
    pub fn caller(&self, request: &Request) -> Caller {
        if let Some(value) = request.header("authorization") {
            let key = value
                .split_once(' ')
                .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
                .map(|(_, key)| key.trim());
            return key
                .and_then(|key| self.role(key))
                .map_or(Caller::Anonymous, Caller::Key);
        }
        self.session(request)
            .map_or(Caller::Anonymous, |(role, token)| {
                Caller::Session(role, token)
            })
    }

    /// Whose session the request's cookie is of.
    pub fn session(&self, request: &Request) -> Option<(Role, Token)> {
        cookie::open(cookie::of(request)?, |role| self.key(role))
    }

    /// Whose key this is.
    pub fn role(&self, key: &str) -> Option<Role> {
        // Both are compared in any case, and each in constant time.
        let is_admin = key.as_bytes().ct_eq(self.config.admin_key.as_bytes());
        let is_api = key.as_bytes().ct_eq(self.config.api_key.as_bytes());
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
        cookie::set(&cookie::seal(role, self.key(role), token), seconds)
    }

    /// The `Set-Cookie` that takes it away.
    pub fn clear_cookie(&self) -> String {
        cookie::set("", 0)
    }

    fn key(&self, role: Role) -> &str {
        match role {
            Role::Api => &self.config.api_key,
            Role::Admin => &self.config.admin_key,
        }
    }
}
