//! A watcher's position in the events of a scan.

/// The id of the last event that a watcher has seen. Opaque to the watcher.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    fence: u64,
    place: u64,
}

/// The text is not a cursor.
#[derive(Debug, thiserror::Error)]
#[error("expected the lastId of an earlier reply, or 0")]
pub struct BadCursor;

impl Cursor {
    /// The position before the first event.
    pub const START: Cursor = Cursor { fence: 0, place: 0 };

    /// Parses a cursor.
    ///
    /// # Errors
    /// [`BadCursor`] if `text` is not a cursor.
    pub fn parse(text: &str) -> Result<Cursor, BadCursor> {
        if text == "0" {
            return Ok(Cursor::START);
        }
        let number = |text: &str| {
            let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| text.parse().ok()).flatten().ok_or(BadCursor)
        };
        let (fence, place) = text.split_once('-').ok_or(BadCursor)?;
        Ok(Cursor {
            fence: number(fence)?,
            place: number(place)?,
        })
    }

    /// Another place in the same attempt.
    pub(super) fn at(&self, place: &str) -> Cursor {
        Cursor {
            fence: self.fence,
            place: place.parse().unwrap_or(self.place),
        }
    }

    /// The fence of the attempt that wrote the event.
    pub fn fence(&self) -> u64 {
        self.fence
    }

    /// Whether `next` comes directly after this event.
    pub(super) fn is_followed_by(&self, next: &Cursor) -> bool {
        *self == Cursor::START
            || *self == *next
            || (self.fence == next.fence && self.place + 1 == next.place)
    }

    pub(super) fn start(&self) -> String {
        if *self == Cursor::START {
            "-".to_owned()
        } else {
            self.to_string()
        }
    }
}

impl<'de> serde::Deserialize<'de> for Cursor {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Cursor::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if *self == Cursor::START {
            return f.write_str("0");
        }
        write!(f, "{}-{}", self.fence, self.place)
    }
}
