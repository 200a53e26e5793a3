//! The errors of calls to AWS services, and whether another attempt may help.

use reqwest::header::HeaderMap;
use serde::Deserialize;

/// Error types that may disappear with a later attempt, in addition to those that the
/// status shows. From the standard retry mode of the AWS SDKs.
const TRANSIENT: [&str; 15] = [
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TransactionInProgressException",
];

/// A call failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The region is not set.
    #[error("AWS_REGION is not set")]
    NoRegion,
    /// The credentials are not set.
    #[error("the credentials cannot be read from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")]
    Credentials(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A header or the address is invalid.
    #[error("the request cannot be signed")]
    Unsigned(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// TLS is not available.
    #[error("the HTTP client cannot be created")]
    Client(#[source] &'static reqwest::Error),
    /// No connection could be made, or no reply arrived.
    #[error("the service cannot be reached")]
    Unanswered(#[source] reqwest::Error),
    /// The service refused the call. The text is the service's own.
    #[error("HTTP {status} {kind}: {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The error type, such as `AccessDeniedException`.
        kind: String,
        /// The message for people.
        message: String,
    },
    /// The reply could not be read. The cause is left out, because it may quote the reply.
    #[error("the reply from the service cannot be read")]
    Unreadable,
}

/// An error in the JSON protocols of AWS.
#[derive(Default, Deserialize)]
struct Body {
    #[serde(rename = "__type", alias = "code", default)]
    kind: Option<String>,
    #[serde(alias = "Message", default)]
    message: Option<String>,
}

impl Error {
    /// Builds the error of an unsuccessful reply. Lambda's REST protocol has the error type
    /// in a header, and SSM's JSON protocol has it in the body. Both may qualify it
    /// (`namespace#Type:uri`).
    pub(super) fn refused(status: u16, headers: &HeaderMap, body: &[u8]) -> Error {
        let body: Body = serde_json::from_slice(body).unwrap_or_default();
        let header = headers.get("x-amzn-errortype");
        let header = header.and_then(|value| value.to_str().ok());
        let kind = header.or(body.kind.as_deref()).unwrap_or_default();
        let kind = kind.split(':').next().unwrap_or_default();
        let kind = kind.rsplit('#').next().unwrap_or_default();
        Error::Refused {
            status,
            kind: kind.to_owned(),
            message: body.message.unwrap_or_default(),
        }
    }

    /// Whether the same call may succeed in a moment.
    pub fn is_transient(&self) -> bool {
        match self {
            Error::Unanswered(_) => true,
            Error::Refused { status, kind, .. } => {
                matches!(status, 429 | 500 | 502 | 503 | 504) || TRANSIENT.contains(&kind.as_str())
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, header: Option<&str>, body: &str) -> Error {
        let mut headers = HeaderMap::new();
        if let Some(kind) = header {
            headers.insert("x-amzn-errortype", kind.parse().unwrap());
        }
        Error::refused(status, &headers, body.as_bytes())
    }

    #[test]
    fn a_refusal_is_told_as_the_service_says_it() {
        let of_ssm = r#"{"__type":"com.amazonaws.ssm#AccessDeniedException","Message":"no"}"#;
        let of_lambda = r#"{"Type":"User","message":"Function not found"}"#;
        for (header, body, text) in [
            (None, of_ssm, "HTTP 400 AccessDeniedException: no"),
            (
                Some("ResourceNotFoundException:http://internal.amazon.com/"),
                of_lambda,
                "HTTP 400 ResourceNotFoundException: Function not found",
            ),
            (None, "<html>", "HTTP 400 : "),
        ] {
            assert_eq!(refused(400, header, body).to_string(), text);
        }
    }

    #[test]
    fn throttling_and_failures_of_the_service_are_worth_another_try() {
        let throttled = r#"{"__type":"ThrottlingException"}"#;
        assert!(refused(400, None, throttled).is_transient());
        assert!(refused(503, None, "").is_transient());
        assert!(refused(429, None, "").is_transient());
        let denied = r#"{"__type":"AccessDeniedException"}"#;
        assert!(!refused(400, None, denied).is_transient());
        assert!(!refused(403, None, "").is_transient());
        assert!(!Error::NoRegion.is_transient());
    }
}
