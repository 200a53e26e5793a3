//! Printing for people.

use std::io::Write as _;

/// Prints `text`. A reader that has gone away, such as `head`, is no reason to stop: `println!`
/// would panic.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
