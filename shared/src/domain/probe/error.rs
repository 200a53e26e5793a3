//! Why a file could not be looked into.

use crate::media::Problem;
use crate::outbound::OutboundError;

/// Why a file could not be looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// The file itself is the problem.
    #[error(transparent)]
    File(#[from] Problem),
    /// The address is not one that may be asked.
    #[error("the file is on a host that is not listed in DISCORD_CDN_HOSTS")]
    NotAllowed,
    /// The server refuses this address, which may have expired.
    #[error("the address is not valid any more")]
    Expired,
    /// The message that showed the file is gone, or does not show it any more.
    #[error("the file does not exist any more")]
    Gone,
    /// The file is not as long as Discord says, or changed between two requests.
    #[error("the file is not the one that was uploaded")]
    Changed,
    /// The server sends the caller elsewhere.
    #[error("the server answered with a redirect")]
    Redirected,
    /// The answers took too long.
    #[error("the server took too long")]
    TooSlow,
    /// The server has a problem of its own, or the connection broke.
    #[error("the server is unavailable")]
    Unavailable,
    /// The answer makes no sense.
    #[error("the server's answer cannot be used")]
    BadAnswer,
}

impl ProbeError {
    /// Whether a failure with this code says nothing about the file, so that saving the clip
    /// again has the file looked into again. The script that saves clips knows the same codes.
    pub fn is_passing(code: &str) -> bool {
        matches!(code, "not_allowed" | "too_slow" | "unavailable")
    }

    /// The error as one word, as the API shows it.
    pub fn code(self) -> &'static str {
        match self {
            ProbeError::File(problem) => problem.code(),
            ProbeError::NotAllowed => "not_allowed",
            ProbeError::Expired | ProbeError::Gone => "gone",
            ProbeError::Changed => "changed",
            ProbeError::Redirected => "redirected",
            ProbeError::TooSlow => "too_slow",
            ProbeError::Unavailable => "unavailable",
            ProbeError::BadAnswer => "bad_answer",
        }
    }
}

impl From<OutboundError> for ProbeError {
    fn from(error: OutboundError) -> ProbeError {
        match error {
            OutboundError::Refused(_) => ProbeError::NotAllowed,
            OutboundError::TimedOut => ProbeError::TooSlow,
            OutboundError::Unreachable(_) => ProbeError::Unavailable,
        }
    }
}
