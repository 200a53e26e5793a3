//! Sorted sets.

use crate::redis::Command;

/// The members of a range.
#[derive(Clone, Debug)]
pub enum Range {
    /// By rank, from 0. Negative ranks count from the end.
    Rank(i64, i64),
    /// By score, inclusive at both ends, at most `limit` members after `offset`.
    Score {
        /// The lowest score, inclusive.
        min: f64,
        /// The highest score, inclusive.
        max: f64,
        /// The number of members to skip.
        offset: u64,
        /// The largest number of members to return.
        limit: u64,
    },
    /// By name among equal scores, in Redis' own notation (`[a`, `(b`, `-`, `+`).
    Lex {
        /// The first member, with `[` or `(` before it, or `-`.
        min: String,
        /// The last member, with `[` or `(` before it, or `+`.
        max: String,
        /// The largest number of members to return.
        limit: u64,
    },
}

impl Range {
    /// The range from its end: `REV`, with the higher bound first.
    fn apply_reversed<T: crate::redis::FromReply>(self, command: Command<T>) -> Command<T> {
        match self {
            Range::Rank(start, stop) => command.arg(start).arg(stop).arg("REV"),
            Range::Score {
                min,
                max,
                offset,
                limit,
            } => command
                .arg(score(max))
                .arg(score(min))
                .arg("BYSCORE")
                .arg("REV")
                .arg("LIMIT")
                .arg(offset)
                .arg(limit),
            Range::Lex { min, max, limit } => command
                .arg(max)
                .arg(min)
                .arg("BYLEX")
                .arg("REV")
                .arg("LIMIT")
                .arg(0)
                .arg(limit),
        }
    }

    fn apply<T: crate::redis::FromReply>(self, command: Command<T>) -> Command<T> {
        match self {
            Range::Rank(start, stop) => command.arg(start).arg(stop),
            Range::Score {
                min,
                max,
                offset,
                limit,
            } => command
                .arg(score(min))
                .arg(score(max))
                .arg("BYSCORE")
                .arg("LIMIT")
                .arg(offset)
                .arg(limit),
            Range::Lex { min, max, limit } => command
                .arg(min)
                .arg(max)
                .arg("BYLEX")
                .arg("LIMIT")
                .arg(0)
                .arg(limit),
        }
    }
}

/// A score in the form that Redis reads: no exponent, and words for infinities.
fn score(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+inf" } else { "-inf" }.to_owned();
    }
    value.to_string()
}

commands! {
    /// Sorted sets.
    SortedSets {
        /// Adds members or changes their scores. Returns how many are new.
        fn zadd(key: &str, members: &[(f64, &str)]) -> u64 {
            members.iter().fold(Command::safe("ZADD").arg(key), |command, (value, member)| {
                command.arg(score(*value)).arg(member)
            })
        }

        /// Changes the scores of members that exist. Returns 0.
        fn zadd_existing(key: &str, members: &[(f64, &str)]) -> u64 {
            let command = Command::safe("ZADD").arg(key).arg("XX");
            members.iter().fold(command, |command, (value, member)| {
                command.arg(score(*value)).arg(member)
            })
        }

        /// Returns members in score order.
        fn zrange(key: &str, range: Range) -> Vec<String> {
            range.apply(Command::safe("ZRANGE").arg(key))
        }

        /// Returns members with their scores, as alternating words.
        fn zrange_with_scores(key: &str, range: Range) -> Vec<String> {
            range.apply(Command::safe("ZRANGE").arg(key)).arg("WITHSCORES")
        }

        /// Returns the members of a range, last first.
        fn zrange_reversed(key: &str, range: Range) -> Vec<String> {
            range.apply_reversed(Command::safe("ZRANGE").arg(key))
        }

        /// Like [`zrange_reversed`], with scores, as alternating words.
        fn zrange_reversed_with_scores(key: &str, range: Range) -> Vec<String> {
            range.apply_reversed(Command::safe("ZRANGE").arg(key)).arg("WITHSCORES")
        }

        /// Removes members. Returns how many existed.
        fn zrem(key: &str, members: &[&str]) -> u64 {
            Command::safe("ZREM").arg(key).args(members)
        }

        /// Returns the number of members.
        fn zcard(key: &str) -> u64 {
            Command::safe("ZCARD").arg(key)
        }

        /// Returns how many members have a score from `min` to `max`, inclusive.
        fn zcount(key: &str, min: f64, max: f64) -> u64 {
            Command::safe("ZCOUNT").arg(key).arg(score(min)).arg(score(max))
        }

        /// Returns the score of a member.
        fn zscore(key: &str, member: &str) -> Option<f64> {
            Command::safe("ZSCORE").arg(key).arg(member)
        }

        /// Returns the scores of members, in the same order.
        fn zmscore(key: &str, members: &[&str]) -> Vec<Option<f64>> {
            Command::safe("ZMSCORE").arg(key).args(members)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_written_without_an_exponent() {
        assert_eq!(score(70_368_744_177_664.0), "70368744177664");
        assert_eq!(score(9e15), "9000000000000000");
        assert_eq!(score(f64::NEG_INFINITY), "-inf");
    }
}
