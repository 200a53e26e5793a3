//! Who calls: one of two keys, or a session that was begun with one.

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use super::{ApiError, Request};
use crate::config::AuthConfig;
use crate::redis::Redis;
use crate::session::{LOGIN, Session, Sessions, Token, fingerprint};

/// The cookie of a session. The prefix has browsers take it only over an encrypted
/// connection and give it to this host alone.
pub const SESSION_COOKIE: &str = "__Host-trawl-session";

/// What a login session holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Login {
    /// Of the key it was begun with: a session ends when its key is replaced.
    key: String,
}

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
    /// The name of the key it has, or began its session with.
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
    sessions: Option<Sessions>,
}

impl Auth {
    pub fn new(config: AuthConfig) -> Auth {
        Auth {
            config,
            sessions: None,
        }
    }

    /// Takes sessions as well.
    pub fn with_sessions(mut self, sessions: Sessions) -> Auth {
        self.sessions = Some(sessions);
        self
    }

    /// As [`Auth::check`], for a caller who may have a session instead of a key; that
    /// takes one command.
    ///
    /// # Errors
    /// As [`Auth::check`]; 503 when Redis cannot tell.
    pub async fn check_any(
        &self,
        request: &Request,
        access: Access,
        redis: &Redis,
    ) -> Result<Caller, ApiError> {
        let has_key = request.header("authorization").is_some();
        match (&self.sessions, session_token(request)) {
            (Some(sessions), Some(token)) if !has_key && access != Access::Open => {
                let session = sessions.on(redis).touch(&LOGIN, &token).await?;
                let caller = session.map_or(Caller::Anonymous, |session| self.holder(&session));
                admit(access, caller)
            }
            _ => self.check(request, access),
        }
    }

    /// The name of `key`, with what a session begun with it is to hold.
    pub fn login(&self, key: &str) -> Option<(&'static str, Login)> {
        let name = self.caller_of(key).key_name()?;
        let login = Login {
            key: fingerprint(key),
        };
        Some((name, login))
    }

    /// Who a session was begun by; nobody if the key is another now.
    fn holder(&self, session: &Session<Login>) -> Caller {
        let keys = [
            (Caller::Admin, &self.config.admin_key),
            (Caller::Api, &self.config.api_key),
        ];
        keys.into_iter()
            .find(|(caller, key)| {
                caller.key_name() == Some(&session.user) && fingerprint(key) == session.data.key
            })
            .map_or(Caller::Anonymous, |(caller, _)| caller)
    }

    /// The caller of `request`, if it may use a route of this access.
    ///
    /// # Errors
    /// 401 without a known key, 403 with the wrong one.
    pub fn check(&self, request: &Request, access: Access) -> Result<Caller, ApiError> {
        admit(access, self.caller(request))
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
        self.caller_of(key)
    }

    fn caller_of(&self, key: &str) -> Caller {
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

/// The token in the session's cookie.
pub fn session_token(request: &Request) -> Option<Token> {
    request
        .cookies()
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == SESSION_COOKIE)
        .and_then(|(_, value)| Token::parse(value))
}

fn admit(access: Access, caller: Caller) -> Result<Caller, ApiError> {
    match (access, caller) {
        (Access::Open, caller) => Ok(caller),
        (_, Caller::Anonymous) => Err(ApiError::unauthorized()),
        (Access::Admin, Caller::Api) => Err(ApiError::forbidden()),
        (_, caller) => Ok(caller),
    }
}
