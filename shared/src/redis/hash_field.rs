//! A hash field to be written together with other work.

use super::Command;

/// A write that one module hands to another, to be made in the same step. An example is a
/// job's progress, which is written together with the page it describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashField {
    /// The hash.
    pub key: String,
    /// The field.
    pub field: String,
    /// The new value of the field.
    pub value: String,
}

impl HashField {
    /// The command that writes the field alone.
    pub fn command(&self) -> Command<()> {
        Command::safe("HSET")
            .arg(&self.key)
            .arg(&self.field)
            .arg(&self.value)
    }
}
