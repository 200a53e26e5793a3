//! Lua, sent as it is. For the product's own scripts use [`Script`](crate::redis::Script),
//! which handles the SHA and sends the text if the server needs it.

use crate::redis::{Command, Reply};

commands! {
    /// Lua, sent as it is.
    Scripting {
        /// Runs a script. It is never sent again automatically, because a script may count.
        fn eval(script: &str, keys: &[&str], args: &[&str]) -> Reply {
            Command::once("EVAL").arg(script).arg(keys.len()).args(keys).args(args)
        }

        /// Runs a script by its SHA. Returns `NOSCRIPT` if the server does not know it.
        fn evalsha(sha: &str, keys: &[&str], args: &[&str]) -> Reply {
            Command::once("EVALSHA").arg(sha).arg(keys.len()).args(keys).args(args)
        }
    }
}
