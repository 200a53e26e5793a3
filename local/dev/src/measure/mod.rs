//! What measurements have in common: what is measured on, with what, and how it is
//! written.
//!
//! | module | holds |
//! |---|---|
//! | `endpoint`, `process` | what is measured |
//! | `npm` | other people's packages, to compare with |
//! | `percentile` | times |
//! | `progress`, `table` | the print |

mod endpoint;
mod npm;
mod percentile;
mod process;
mod progress;
pub(crate) mod table;

pub use endpoint::{Endpoint, Meter, Target};
pub(crate) use endpoint::{passes_on, program_beside};
pub(crate) use npm::{Package, install, missing};
pub use percentile::Percentiles;
pub(crate) use process::Process;
pub(crate) use progress::bar;
