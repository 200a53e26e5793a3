//! Records the requests that the server received, for tests and for people.

use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// One request to the API or the CDN.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequestSeen {
    pub method: String,
    /// The whole path, starting with `/api/v10` or `/attachments`.
    pub path: String,
    /// Without the question mark; empty if there was none.
    pub query: String,
    /// The status, or 0 if no answer was sent or it is not sent yet.
    pub status: u16,
}

#[derive(Default)]
struct Log {
    seen: Vec<(u64, RequestSeen)>,
    next_number: u64,
}

/// Requests in order of arrival.
#[derive(Default)]
pub(crate) struct Requests(Mutex<Log>);

impl Requests {
    /// Records a request on arrival, because its client may disconnect before the answer.
    pub(crate) fn arrived(&self, method: &str, path: &str, query: &str) -> u64 {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = log.next_number;
        log.next_number += 1;
        let request = RequestSeen {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            status: 0,
        };
        log.seen.push((number, request));
        number
    }

    pub(crate) fn answered(&self, number: u64, status: u16) {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = log
            .seen
            .binary_search_by_key(&number, |(number, _)| *number);
        if let Ok(index) = found {
            log.seen[index].1.status = status;
        }
    }

    pub(crate) fn all(&self) -> Vec<RequestSeen> {
        let log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.seen
            .iter()
            .map(|(_, request)| request.clone())
            .collect()
    }

    pub(crate) fn clear(&self) {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.seen.clear();
    }
}
