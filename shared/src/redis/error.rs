//! What can go wrong, told apart by what the caller can do about it.

use std::time::Duration;

/// A failed call. Its text never holds a token, a key's value or an argument.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection could be made: nothing was sent.
    #[error("Redis cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// The request was sent and no reply came: it may have been applied.
    #[error("the reply of Redis was lost")]
    ReplyLost(#[source] reqwest::Error),
    /// No reply within the time the call had: it may have been applied.
    #[error("Redis did not answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// The service answered with a failure of its own, not of the command.
    #[error("the Redis service answered {status}")]
    Service { status: u16 },
    /// More requests than the plan allows. Waiting a moment does not help with a
    /// monthly limit.
    #[error("the Redis service refuses requests beyond its limit")]
    LimitReached,
    /// The token is missing, wrong, or not allowed this command.
    #[error("the Redis service refused the token")]
    Unauthorized,
    /// The command was understood and failed.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The reply is not what the protocol says.
    #[error("the reply of Redis is malformed: {0}")]
    Malformed(String),
    /// The reply has another type than the command answers.
    #[error("expected {expected}, Redis answered {found}")]
    UnexpectedReply {
        expected: &'static str,
        found: &'static str,
    },
    /// The request this command travelled in with others failed.
    #[error(transparent)]
    Batch(std::sync::Arc<Error>),
    /// A script failed.
    #[error("script `{script}` failed")]
    Script {
        script: &'static str,
        #[source]
        source: Box<Error>,
    },
    /// The settings do not describe a Redis.
    #[error("{0}")]
    Settings(String),
}

impl Error {
    /// Whether the request may have been applied although it failed.
    pub fn is_outcome_unknown(&self) -> bool {
        match self {
            Error::ReplyLost(_) | Error::Timeout(_) | Error::Malformed(_) => true,
            Error::Service { status } => *status >= 500,
            Error::Script { source, .. } => source.is_outcome_unknown(),
            Error::Batch(error) => error.is_outcome_unknown(),
            _ => false,
        }
    }

    /// Whether Redis itself is away, so that another try later may succeed.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Error::Unreachable(_) | Error::LimitReached => true,
            Error::Script { source, .. } => source.is_unavailable(),
            Error::Batch(error) => error.is_unavailable(),
            other => other.is_outcome_unknown(),
        }
    }

    /// Whether the server does not know a script by its SHA.
    pub fn is_no_script(&self) -> bool {
        matches!(self, Error::Server(error) if error.code() == "NOSCRIPT")
    }

    /// Whether sending the request again later, unchanged, may work.
    pub(super) fn is_retryable(&self) -> bool {
        matches!(self, Error::Unreachable(_) | Error::LimitReached) || self.is_outcome_unknown()
    }
}

/// An error reply, such as `WRONGTYPE Operation against a key …`.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerError {
    text: String,
}

impl ServerError {
    pub(super) fn new(text: &str) -> ServerError {
        ServerError {
            text: text.to_owned(),
        }
    }

    /// The first word: `ERR`, `WRONGTYPE`, `NOSCRIPT`, …
    pub fn code(&self) -> &str {
        self.text.split_whitespace().next().unwrap_or("")
    }

    /// The whole text. It may quote arguments: not for logs.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Shows the text up to the first quotation mark, since what is quoted is an
/// argument of the caller's.
impl std::fmt::Display for ServerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let end = self.text.find(['\'', '"', '`']).unwrap_or(self.text.len());
        let shown: String = self.text[..end].chars().take(160).collect();
        write!(f, "Redis answered: {}", shown.trim_end())
    }
}

impl std::fmt::Debug for ServerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ServerError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_no_argument_of_the_command() {
        let error =
            ServerError::new("ERR unknown command 'GETT', with args beginning with: 'tok3n'");
        for shown in [error.to_string(), format!("{error:?}")] {
            assert!(!shown.contains("tok3n"), "{shown}");
        }
        assert_eq!(error.code(), "ERR");
    }
}
