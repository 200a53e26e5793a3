//! Exports: the clips of a guild as a file, made by a job and kept in parts.
//!
//! A file is stored in parts of less than 1 MB, which expire after a day. A run of the job
//! names its parts after its fence. The job's checkpoint and result say which parts belong
//! to the file, and only the owner of the job can settle it. A run that lost its job
//! therefore writes parts that nobody reads.
//!
//! | file | contents |
//! |---|---|
//! | `format` | the formats, and how rows become parts |
//! | `csv` | the columns of a CSV file |
//! | `store` | writes, reads and removes parts |
//! | `keys` | the keys of parts |

mod csv;
mod format;
mod keys;
mod store;

pub use format::{ExportFormat, Part, PartWriter};
pub use store::{EXPORT_LIFE, ExportParts, ExportStore};
