//! Lua, sent as it is. For scripts of the product use
//! [`Script`](crate::redis::Script), which keeps the SHA and the fallback.

use crate::redis::{Command, Reply};

commands! {
    /// Lua, sent as it is.
    Scripting {
        /// Runs a script; not sent again by itself, since any script may count.
        fn eval(script: &str, keys: &[&str], args: &[&str]) -> Reply {
            Command::once("EVAL").arg(script).arg(keys.len()).args(keys).args(args)
        }

        /// Runs a script by its SHA; `NOSCRIPT` when the server does not know it.
        fn evalsha(sha: &str, keys: &[&str], args: &[&str]) -> Reply {
            Command::once("EVALSHA").arg(sha).arg(keys.len()).args(keys).args(args)
        }
    }
}
