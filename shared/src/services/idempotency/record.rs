//! The value of a key.

use serde::{Deserialize, Serialize};

use crate::json::to_json;

/// A stored reply, which is sent again to repeated requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredReply {
    /// The HTTP status.
    pub status: u16,
    /// The headers. Names are in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, as text.
    pub body: String,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "camelCase")]
pub(super) enum Record {
    #[serde(rename_all = "camelCase")]
    InProgress {
        fingerprint: String,
        owner: String,
        until_ms: i64,
    },
    Done {
        fingerprint: String,
        reply: StoredReply,
    },
}

impl Record {
    pub fn parse(text: &str) -> Option<Record> {
        serde_json::from_str(text).ok()
    }

    pub fn to_text(&self) -> String {
        to_json(self)
    }

    pub fn fingerprint(&self) -> &str {
        match self {
            Record::InProgress { fingerprint, .. } | Record::Done { fingerprint, .. } => {
                fingerprint
            }
        }
    }
}
