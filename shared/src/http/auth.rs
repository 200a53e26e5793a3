//! Who calls: one of two keys.

use subtle::ConstantTimeEq as _;

use super::{ApiError, Request};
use crate::config::AuthConfig;

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

/// Who called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    Anonymous,
    Api,
    Admin,
}

impl Caller {
    /// The name of its key.
    pub fn key_name(self) -> Option<&'static str> {
        match self {
            Caller::Anonymous => None,
            Caller::Api => Some("api"),
            Caller::Admin => Some("admin"),
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

    /// The caller of `request`, if it may use a route of this access.
    ///
    /// # Errors
    /// 401 without a known key, 403 with the wrong one.
    pub fn check(&self, request: &Request, access: Access) -> Result<Caller, ApiError> {
        let caller = self.caller(request);
        match (access, caller) {
            (Access::Open, caller) => Ok(caller),
            (_, Caller::Anonymous) => Err(ApiError::unauthorized()),
            (Access::Admin, Caller::Api) => Err(ApiError::forbidden()),
            (_, caller) => Ok(caller),
        }
    }

    fn caller(&self, request: &Request) -> Caller {
        let Some(key) = request
            .header("authorization")
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, key)| key.trim())
        else {
            return Caller::Anonymous;
        };
        // Both are compared in any case, and each in constant time.
        let is_admin = key.as_bytes().ct_eq(self.config.admin_key.as_bytes());
        let is_api = key.as_bytes().ct_eq(self.config.api_key.as_bytes());
        if is_admin.into() {
            Caller::Admin
        } else if is_api.into() {
            Caller::Api
        } else {
            Caller::Anonymous
        }
    }
}
