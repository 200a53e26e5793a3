//! Values of ours as JSON.

use serde::Serialize;

/// The value as JSON text.
///
/// Every type that is written here is ours and holds text, numbers, lists and maps with keys
/// of text, which can always be written. An empty text in the place of a request would be
/// worse than a panic: the store would take it.
pub fn to_json(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).expect("types of ours hold no map with keys other than text")
}
