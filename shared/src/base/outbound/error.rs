//! Why a request to a stranger's address failed.

/// Why an address may not be requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The text is not a complete address.
    #[error("not an address")]
    Malformed,
    /// The scheme is not `https`.
    #[error("the address must begin with https://")]
    Scheme,
    /// The address contains a user name or a password.
    #[error("the address must not contain a user name or a password")]
    Credentials,
    /// The host is not one of those that are allowed.
    #[error("this host is not allowed")]
    Host,
    /// The port is not the usual one and belongs to another protocol.
    #[error("this port is not allowed")]
    Port,
    /// The host is, or its name resolves to, an address that is not public.
    #[error("the host is not on the public internet")]
    Address,
}

/// A request got no answer.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// The address may not be requested. It would be refused again.
    #[error("the address is refused")]
    Refused(#[from] Refusal),
    /// The answer was not complete in time.
    #[error("the answer took too long")]
    TimedOut,
    /// The server could not be reached, or its answer broke off.
    #[error("the server could not be reached")]
    Unreachable(#[source] reqwest::Error),
}

impl OutboundError {
    /// Sorts an error of the HTTP client. A refusal comes from the resolver.
    pub(super) fn of(error: reqwest::Error) -> OutboundError {
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            if let Some(refusal) = cause.downcast_ref::<Refusal>() {
                return OutboundError::Refused(*refusal);
            }
            source = cause.source();
        }
        if error.is_timeout() {
            return OutboundError::TimedOut;
        }
        OutboundError::Unreachable(error.without_url())
    }
}
