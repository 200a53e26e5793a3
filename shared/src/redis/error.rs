//! The errors of Redis, classified by what the caller can do about them.

use std::time::Duration;

/// A failed call. Its text never contains a token, a value or an argument.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection could be made, so nothing was sent.
    #[error("Redis cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// The request was sent but no reply arrived. It may have been applied.
    #[error("the reply from Redis was lost")]
    ReplyLost(#[source] reqwest::Error),
    /// No reply arrived within the call's time. The request may have been applied.
    #[error("Redis did not answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// The service itself failed, not the command.
    #[error("the Redis service answered {status}")]
    Service {
        /// The HTTP status.
        status: u16,
    },
    /// The plan's limit on requests is reached. Waiting for a moment does not help against
    /// a monthly limit.
    #[error("the Redis plan's request limit is reached")]
    LimitReached,
    /// The token is missing, wrong, or not allowed to run this command.
    #[error("the Redis service refused the token")]
    Unauthorized,
    /// The server is not ready and ran no part of this command. It will be ready soon: it
    /// is loading its data, following another primary, or running a long script.
    #[error("Redis is not ready: {}", .0.code())]
    NotReady(ServerError),
    /// The database accepts no writes at the moment, because it is full or has lost its
    /// replicas.
    #[error("Redis accepts no writes at the moment: {}", .0.code())]
    NotWritable(ServerError),
    /// The command was understood but failed.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The reply violates the protocol.
    #[error("the reply from Redis is malformed: {0}")]
    Malformed(String),
    /// The reply has another type than the command returns.
    #[error("expected {expected}, Redis answered {found}")]
    UnexpectedReply {
        /// The type that the command returns.
        expected: &'static str,
        /// The type that arrived.
        found: &'static str,
    },
    /// The request that this command shared with others failed.
    #[error(transparent)]
    Batch(std::sync::Arc<Error>),
    /// A script failed.
    #[error("script `{script}` failed")]
    Script {
        /// The name of the script.
        script: &'static str,
        /// The cause.
        #[source]
        source: Box<Error>,
    },
    /// The settings are invalid.
    #[error("{0}")]
    Settings(String),
}

impl Error {
    /// Whether the request may have been applied although it failed.
    pub fn is_outcome_unknown(&self) -> bool {
        match self {
            Error::ReplyLost(_) | Error::Timeout(_) | Error::Malformed(_) => true,
            Error::Service { status } => *status >= 500 || matches!(status, 408 | 425),
            Error::Script { source, .. } => source.is_outcome_unknown(),
            Error::Batch(error) => error.is_outcome_unknown(),
            _ => false,
        }
    }

    /// Whether Redis itself is unavailable, or refuses all such commands at the moment, so
    /// that a later attempt may succeed. The transport alone does not show this: a server
    /// that fails over or is full answers with an error of its own.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Error::Unreachable(_)
            | Error::LimitReached
            | Error::NotReady(_)
            | Error::NotWritable(_)
            | Error::Unauthorized
            | Error::Service { .. } => true,
            Error::Script { source, .. } => source.is_unavailable(),
            Error::Batch(error) => error.is_unavailable(),
            other => other.is_outcome_unknown(),
        }
    }

    /// Whether the server does not know a script by its SHA.
    pub fn is_no_script(&self) -> bool {
        matches!(self, Error::Server(error) if error.code() == "NOSCRIPT")
    }

    /// Whether nothing was run, so that the request may be sent again, even if it must not
    /// run twice.
    pub(super) fn ran_nothing(&self) -> bool {
        matches!(
            self,
            Error::Unreachable(_) | Error::LimitReached | Error::NotReady(_)
        )
    }

    /// Whether the same request may succeed in a moment. A full database will not be less
    /// full by then.
    pub(super) fn is_retryable(&self) -> bool {
        match self {
            Error::NotWritable(error) => error.code() == NO_REPLICAS,
            _ => self.ran_nothing() || self.is_outcome_unknown(),
        }
    }

    /// Classifies the text of an error reply.
    pub(super) fn of_reply(text: &str) -> Error {
        let error = ServerError::new(text);
        let has = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
        match error.code() {
            "WRONGPASS" => Error::Unauthorized,
            code if NOT_READY.contains(&code) => Error::NotReady(error),
            NO_REPLICAS | "OOM" => Error::NotWritable(error),
            // The hosted service has no codes for these refusals, so their text decides.
            "ERR" if has(&THROTTLED) => Error::LimitReached,
            "ERR" if has(&FULL) => Error::NotWritable(error),
            _ => Error::Server(error),
        }
    }
}

/// A server that answers with one of these codes has not begun the command.
const NOT_READY: [&str; 6] = [
    "READONLY",
    "LOADING",
    "MASTERDOWN",
    "TRYAGAIN",
    "CLUSTERDOWN",
    "BUSY",
];

const NO_REPLICAS: &str = "NOREPLICAS";

/// The service refuses all commands until the plan allows more.
const THROTTLED: [&str; 4] = [
    "request limit exceeded",
    "requests limit exceeded",
    "max concurrent connections exceeded",
    "rate limit",
];

/// The service refuses to store more data.
const FULL: [&str; 2] = ["capacity quota exceeded", "max single record size exceeded"];

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

    /// The first word: `ERR`, `WRONGTYPE`, `NOSCRIPT`, … For an error inside a script,
    /// which older servers wrap in an error of the script, the inner word.
    pub fn code(&self) -> &str {
        let inner = self.text.strip_prefix("ERR Error running script");
        let text = inner.and_then(|inner| inner.split(": -").nth(1));
        let mut words = text.unwrap_or(&self.text).split_whitespace();
        words.next().unwrap_or("")
    }

    /// The whole text. It may quote arguments, so it must not be logged.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Shows the text up to the first quotation mark, because quoted text is an argument of the
/// caller's.
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

    #[test]
    fn a_server_that_is_not_ready_differs_from_a_command_that_failed() {
        for text in [
            "READONLY You can't write against a read only replica.",
            "LOADING Redis is loading the dataset in memory",
            "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
            "TRYAGAIN Multiple keys request during rehashing of slot",
            "CLUSTERDOWN The cluster is down",
            "BUSY Redis is busy running a script.",
            "ERR Error running script (call to f_1): @user_script:1: -READONLY You can't write",
        ] {
            let error = Error::of_reply(text);
            assert!(error.is_unavailable() && error.ran_nothing(), "{text}");
            assert!(
                error.is_retryable() && !error.is_outcome_unknown(),
                "{text}"
            );
        }
        for (text, again) in [
            ("NOREPLICAS Not enough good replicas to write.", true),
            (
                "OOM command not allowed when used memory > 'maxmemory'.",
                false,
            ),
            ("ERR DB capacity quota exceeded", false),
            ("ERR max single record size exceeded", false),
        ] {
            let error = Error::of_reply(text);
            assert!(error.is_unavailable() && !error.ran_nothing(), "{text}");
            assert_eq!(error.is_retryable(), again, "{text}");
        }
        for text in [
            "BUSYGROUP Consumer Group name already exists",
            "BUSYKEY Target key name already exists.",
            "ERR syntax error",
            "WRONGTYPE Operation against a key holding the wrong kind of value",
        ] {
            assert!(!Error::of_reply(text).is_unavailable(), "{text}");
        }
    }
}
