//! When a request is checked.

/// When the check of a request (its session, its limit, its idempotency key) is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begins {
    /// Together with the handler's first commands where they are a read's, or certainly
    /// change nothing; else before them.
    AtOnce,
    /// Together with the handler's first commands: it promises that they change nothing,
    /// although the client cannot know that, such as of a script.
    Reading,
}
