//! Defaults that several subcommands share.

/// Default address of the API, for `dev up` to serve and for `dev scan` to call.
pub(crate) const LISTEN: &str = "127.0.0.1:3000";

/// Default data folder.
pub(crate) const DATA: &str = ".trawl";
