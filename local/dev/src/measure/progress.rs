//! How far a measurement is, for whoever waits.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar of `length` steps.
///
/// # Errors
/// None that would depend on the arguments.
pub fn bar(length: usize, name: &str) -> anyhow::Result<ProgressBar> {
    let bar = ProgressBar::new(length as u64);
    bar.set_style(ProgressStyle::with_template(
        "{msg:24} {bar:40} {percent:>3}%  {per_sec}  {eta} left",
    )?);
    bar.set_message(name.to_owned());
    Ok(bar)
}
