//! Determines which commands a script called, from the server's own counters.
//!
//! The counters are read before and after the script in the same transaction, so commands
//! of other clients cannot interfere.

use std::collections::BTreeMap;

use crate::reply::Reply;

/// Number of calls by lower-case command name.
pub type Calls = BTreeMap<String, u64>;

/// The calls between two readings, without the command that was sent.
pub fn inner_calls(before: &Reply, after: &Reply, sent: &[u8]) -> Calls {
    let before = read(before);
    let mut calls = read(after);
    let mut subtract = |name: &str, n: u64| {
        if let Some(count) = calls.get_mut(name) {
            *count = count.saturating_sub(n);
        }
    };
    for (name, n) in &before {
        subtract(name, *n);
    }
    // The first reading counts itself only after it has returned.
    subtract("info", 1);
    subtract(&String::from_utf8_lossy(sent).to_ascii_lowercase(), 1);
    calls.retain(|_, n| *n > 0);
    calls
}

/// Parses `cmdstat_get:calls=2,usec=…`. Subcommands (`xgroup|create`) count as their
/// command.
fn read(info: &Reply) -> Calls {
    let Reply::Bulk(text) = info else {
        return Calls::new();
    };
    let mut calls = Calls::new();
    for line in String::from_utf8_lossy(text).lines() {
        let Some((name, rest)) = line
            .strip_prefix("cmdstat_")
            .and_then(|line| line.split_once(":calls="))
        else {
            continue;
        };
        let name = name.split('|').next().unwrap_or(name);
        let n = rest.split(',').next().and_then(|n| n.parse().ok());
        *calls.entry(name.to_owned()).or_default() += n.unwrap_or(0);
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bill_is_the_difference_without_what_was_sent() {
        let before = Reply::bulk(
            "# Commandstats\r\ncmdstat_get:calls=5,usec=1\r\ncmdstat_info:calls=2,usec=1\r\n",
        );
        let after = Reply::bulk(
            "# Commandstats\r\ncmdstat_get:calls=8,usec=1\r\ncmdstat_info:calls=3,usec=1\r\n\
             cmdstat_eval:calls=1,usec=1\r\ncmdstat_xgroup|create:calls=1\r\ncmdstat_xgroup|destroy:calls=2\r\n",
        );
        let calls = inner_calls(&before, &after, b"EVAL");
        let wanted = Calls::from([("get".into(), 3), ("xgroup".into(), 3)]);
        assert_eq!(calls, wanted);
    }
}
