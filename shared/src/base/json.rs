//! Writes our own types as JSON.

use serde::Serialize;

/// Returns a value as JSON text.
///
/// All types written here are our own. They contain text, numbers, lists and maps with text
/// keys, which can always be written. An empty text in place of a request would be worse
/// than a panic, because the store would accept it.
pub fn to_json(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).expect("types of ours hold no map with keys other than text")
}
