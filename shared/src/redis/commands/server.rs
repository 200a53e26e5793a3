//! The server itself.

use crate::redis::Command;

commands! {
    /// The server itself.
    Server {
        /// `PONG`.
        fn ping() -> String {
            Command::safe("PING")
        }

        /// What the server reports about itself, `name:value` a line. An empty section is
        /// the default ones.
        fn info(section: &str) -> String {
            let command = Command::safe("INFO");
            if section.is_empty() { command } else { command.arg(section) }
        }

        /// How many keys there are.
        fn dbsize() -> u64 {
            Command::safe("DBSIZE")
        }

        /// The server's time: unix seconds, and microseconds within the second.
        fn time() -> (i64, i64) {
            Command::safe("TIME")
        }
    }
}
