//! Shared by all measurements: the endpoint under test, tools to measure with, and
//! output.
//!
//! | module | contents |
//! |---|---|
//! | `endpoint`, `process` | what is measured |
//! | `npm` | other projects' packages, for comparison |
//! | `percentile` | percentiles of times |
//! | `progress`, `table` | output |

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
