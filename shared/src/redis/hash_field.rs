//! A field of a hash, to be written together with other work.

use super::Command;

/// What one module gives another to write in the same step, such as the progress of a job
/// with the page it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashField {
    /// The hash.
    pub key: String,
    /// The field of it.
    pub field: String,
    /// What the field is set to.
    pub value: String,
}

impl HashField {
    /// Writes it by itself.
    pub fn command(&self) -> Command<()> {
        Command::safe("HSET")
            .arg(&self.key)
            .arg(&self.field)
            .arg(&self.value)
    }
}
