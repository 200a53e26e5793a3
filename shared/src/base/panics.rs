//! Turns panics into errors, so that a mistake in one request does not end the environment.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

thread_local! {
    /// Where this thread's last panic happened.
    static PLACE: Cell<Option<String>> = const { Cell::new(None) };
}

/// A panic. Its message is not kept, because it may quote confidential data.
#[derive(Debug, thiserror::Error)]
#[error("the function panicked{}", .place.as_deref().map(|place| format!(" at {place}")).unwrap_or_default())]
pub struct Panicked {
    place: Option<String>,
}

/// Runs `future`. A panic in it ends only this future.
///
/// # Errors
/// The panic.
pub async fn caught<F: Future>(future: F) -> Result<F::Output, Panicked> {
    // Everything the future holds is dropped with it. What it shares with others can be
    // left at any moment, because a deadline may drop it too.
    let outcome = AssertUnwindSafe(future).catch_unwind().await;
    outcome.map_err(|_| Panicked {
        place: PLACE.take(),
    })
}

/// Logs panics, with their location only.
pub fn log() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string);
        tracing::error!(place, "panicked");
        PLACE.set(place);
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_an_error_without_its_message() {
        assert_eq!(caught(async { 5 }).await.ok(), Some(5));
        let panicked = caught(async { panic!("tok3n") }).await.unwrap_err();
        assert!(!format!("{panicked} {panicked:?}").contains("tok3n"));
    }
}
