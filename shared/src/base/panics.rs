//! Panics as errors: a mistake in one request is no reason to lose the environment.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

thread_local! {
    /// Where the last panic of this thread was.
    static PLACE: Cell<Option<String>> = const { Cell::new(None) };
}

/// A panic. What it said is not kept: it may quote what nobody is to read.
#[derive(Debug, thiserror::Error)]
#[error("the function panicked{}", .place.as_deref().map(|place| format!(" at {place}")).unwrap_or_default())]
pub struct Panicked {
    place: Option<String>,
}

/// Runs `future`; a panic in it ends only that.
///
/// # Errors
/// The panic.
pub async fn caught<F: Future>(future: F) -> Result<F::Output, Panicked> {
    // What the future had in hand is dropped with it. What it shares is made to be
    // left at any moment, since a deadline may drop it as well.
    let outcome = AssertUnwindSafe(future).catch_unwind().await;
    outcome.map_err(|_| Panicked {
        place: PLACE.take(),
    })
}

/// Writes panics as log lines, by their place alone.
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
    async fn a_panic_is_an_error_without_what_it_said() {
        assert_eq!(caught(async { 5 }).await.ok(), Some(5));
        let panicked = caught(async { panic!("tok3n") }).await.unwrap_err();
        assert!(!format!("{panicked} {panicked:?}").contains("tok3n"));
    }
}
