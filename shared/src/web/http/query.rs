//! The parameters after the `?`: each named by the route, each sent once at most, each
//! readable. And the cursors of listings, which belong to one query.

use std::fmt::Display;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lambda_http::RequestExt as _;
use ring::digest::SHA256;

use super::{ApiError, Request};
use crate::input::nearest;

/// Bytes of a digest.
const CHECKSUM: usize = 9;

/// What a cursor error says. A cursor is bound to its query.
const NOT_A_CURSOR: &str = "cursor: expected the cursor of an earlier reply to the same query";

impl Request {
    /// The parameters, in order of their names; one that was sent twice is there twice.
    fn parameters(&self) -> Vec<(String, String)> {
        let Some(parameters) = self.http().query_string_parameters_ref() else {
            return Vec::new();
        };
        let pairs = parameters.iter();
        let mut pairs: Vec<(String, String)> = pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        pairs.sort();
        pairs
    }

    /// Checks that the query has only these parameters, each at most once.
    ///
    /// # Errors
    /// 400 that names the parameter, and the nearest known one.
    pub(super) fn check_query(&self, known: &[&str]) -> Result<(), ApiError> {
        let parameters = self.parameters();
        for (n, (name, _)) in parameters.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let name: String = name.chars().take(64).collect();
                let hint = match (nearest(&name, known), known) {
                    (Some(near), _) => format!("; did you mean {near}?"),
                    (None, []) => "; this route takes none".to_owned(),
                    (None, known) => format!("; this route takes {}", known.join(", ")),
                };
                let detail = format!("{name}: unknown query parameter{hint}");
                return Err(ApiError::bad_request(detail));
            }
            if n > 0 && parameters[n - 1].0 == *name {
                let detail = format!("{name}: expected this query parameter once");
                return Err(ApiError::bad_request(detail));
            }
        }
        Ok(())
    }

    /// A parameter of the query as text.
    pub fn query(&self, name: &str) -> Option<String> {
        let mut parameters = self.parameters().into_iter();
        parameters
            .find(|(parameter, _)| parameter == name)
            .map(|(_, value)| value)
    }

    /// A parameter of the query, read by `read`; `None` when it was not sent.
    ///
    /// # Errors
    /// 400 that names the parameter and what it may be. A parameter without a value is
    /// one that cannot be read.
    pub fn query_as<T>(
        &self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        let Some(text) = self.query(name) else {
            return Ok(None);
        };
        let wrong = || ApiError::bad_request(format!("{name}: expected {expected}"));
        read(&text).map(Some).ok_or_else(wrong)
    }

    /// A parameter of the query that is `true` or `false`; false when it was not sent.
    ///
    /// # Errors
    /// As [`Request::query_as`].
    pub fn query_flag(&self, name: &str) -> Result<bool, ApiError> {
        let read = |text: &str| text.parse().ok();
        Ok(self
            .query_as(name, "`true` or `false`", read)?
            .unwrap_or(false))
    }

    /// A parameter of the query that is a whole number from 1 to `most`.
    ///
    /// # Errors
    /// As [`Request::query_as`].
    pub fn query_number(&self, name: &str, most: u64) -> Result<Option<u64>, ApiError> {
        let expected = format!("a whole number from 1 to {most}");
        self.query_as(name, &expected, |text| {
            whole(text).filter(|n| (1..=most).contains(n))
        })
    }

    /// The place a listing goes on from, as the `cursor` of an earlier reply to the same
    /// query has it. Without a cursor, or with an empty one, it is the first page.
    ///
    /// # Errors
    /// 400 when the cursor was changed, or given for another query.
    pub fn cursor<T>(&self, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, ApiError> {
        let Some(text) = self.query("cursor").filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let place = text
            .rsplit_once('.')
            .filter(|(place, checksum)| self.checksum(place) == *checksum)
            .and_then(|(place, _)| read(place));
        place
            .map(Some)
            .ok_or_else(|| ApiError::bad_request(NOT_A_CURSOR))
    }

    /// The `cursor` that goes on from `place` in the listing this request asked for.
    pub fn next_cursor(&self, place: &impl Display) -> String {
        let place = place.to_string();
        let checksum = self.checksum(&place);
        format!("{place}.{checksum}")
    }

    /// Of a place in this request's listing: its path and its query, but for the place
    /// itself and the size of the page.
    fn checksum(&self, place: &str) -> String {
        let mut parameters = self.parameters();
        parameters.retain(|(name, _)| name != "cursor" && name != "limit");
        let parts = parameters.iter().flat_map(|(name, value)| [name, value]);
        let mut bound = self.path().trim_end_matches('/').to_owned();
        for part in parts.map(String::as_str).chain([place]) {
            bound.push('\0');
            bound.push_str(part);
        }
        digest(&bound)
    }
}

/// A short text that another text does not have by accident.
pub fn digest(text: &str) -> String {
    let hash = ring::digest::digest(&SHA256, text.as_bytes());
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..CHECKSUM])
}

/// A whole number in its one spelling: no sign, no leading zero.
fn whole(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
