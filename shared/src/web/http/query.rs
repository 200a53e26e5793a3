//! The parameters after the `?`: each named by the route, each sent once at most, each
//! readable. And the cursors of listings, which belong to one query.

use std::fmt::Display;

use lambda_http::RequestExt as _;
use serde::de::DeserializeOwned;

use super::{ApiError, FieldCode, FieldError, Request, digest};
use crate::input::{Invalid, PageCursor, parse_pairs};

/// What a cursor error says. A cursor is bound to its query.
const NOT_A_CURSOR: &str = "expected the nextCursor of an earlier reply to the same query";

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

    /// The query read as `Q`, whose fields are the names there may be.
    ///
    /// # Errors
    /// Every parameter that is wrong, and what it may be. A parameter without a value is one
    /// that cannot be read; but an empty `cursor` is the first page, as clients that always
    /// send one expect.
    pub(super) fn read_query<Q: DeserializeOwned>(&self) -> Result<Q, Invalid> {
        let parameters = self.parameters();
        let pairs = parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let pairs: Vec<(&str, &str)> = pairs.collect();
        parse_pairs(&pairs)
    }

    /// The place a listing goes on from, read from the `nextCursor` of an earlier reply to the
    /// same query. `None` is the first page.
    ///
    /// # Errors
    /// 400 when the cursor was changed, or given for another query.
    pub fn place<T>(
        &self,
        cursor: Option<&PageCursor>,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        let Some(text) = cursor
            .map(PageCursor::as_str)
            .filter(|text| !text.is_empty())
        else {
            return Ok(None);
        };
        let place = text
            .rsplit_once('.')
            .filter(|(place, checksum)| self.checksum(place) == *checksum)
            .and_then(|(place, _)| read(place));
        place
            .map(Some)
            .ok_or_else(|| FieldError::parameter("cursor", FieldCode::Invalid, NOT_A_CURSOR).into())
    }

    /// The `nextCursor` that goes on from `place` in the listing this request asked for.
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
