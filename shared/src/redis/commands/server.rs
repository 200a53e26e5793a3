//! The server itself.

use crate::redis::Command;

commands! {
    /// The server itself.
    Server {
        /// Returns `PONG`.
        fn ping() -> String {
            Command::safe("PING")
        }

        /// Returns the server's report about itself, with `name:value` on each line. An
        /// empty `section` means the default ones.
        fn info(section: &str) -> String {
            let command = Command::safe("INFO");
            if section.is_empty() { command } else { command.arg(section) }
        }

        /// Returns the number of keys.
        fn dbsize() -> u64 {
            Command::safe("DBSIZE")
        }

        /// Returns the server's time: unix seconds, and microseconds within the second.
        fn time() -> (i64, i64) {
            Command::safe("TIME")
        }
    }
}
