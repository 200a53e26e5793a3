//! Progress bars for measurements.

use indicatif::{ProgressBar, ProgressStyle};

/// Creates a bar of `length` steps.
///
/// # Errors
/// None that depends on the arguments.
pub fn bar(length: usize, name: &str) -> anyhow::Result<ProgressBar> {
    let bar = ProgressBar::new(length as u64);
    bar.set_style(ProgressStyle::with_template(
        "{msg:24} {bar:40} {percent:>3}%  {per_sec}  {eta} left",
    )?);
    bar.set_message(name.to_owned());
    Ok(bar)
}
