//! Discord's IDs, which contain a timestamp.

use serde::{Deserialize, Serialize};

/// Discord's epoch, 2015-01-01, in Unix milliseconds.
const EPOCH_MS: i64 = 1_420_070_400_000;

/// A Discord ID. It is a string in JSON, where numbers would lose their last digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub u64);

impl MessageId {
    /// Parses an ID.
    pub fn parse(text: &str) -> Option<MessageId> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok().map(MessageId)).flatten()
    }

    /// The smallest ID for this Unix millisecond. No such object need exist.
    pub fn at(ms: i64) -> MessageId {
        MessageId(u64::try_from(ms - EPOCH_MS).unwrap_or(0) << 22)
    }

    /// The time at which the ID was created, in Unix milliseconds.
    pub fn created_ms(self) -> i64 {
        (self.0 >> 22) as i64 + EPOCH_MS
    }
}

impl std::fmt::Display for MessageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for MessageId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MessageId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        MessageId::parse(&text)
            .ok_or_else(|| serde::de::Error::custom("expected the digits of an id"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_carry_their_time() {
        assert_eq!(
            MessageId(175_928_847_299_117_063).created_ms(),
            1_462_015_105_796
        );
        assert_eq!(
            MessageId::at(1_704_067_200_000),
            MessageId(1_191_168_914_227_200_000)
        );
        assert_eq!(
            MessageId::at(1_767_225_600_000),
            MessageId(1_456_074_443_980_800_000)
        );
    }
}
