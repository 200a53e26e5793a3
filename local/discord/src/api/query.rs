//! Query parameters, with Discord's errors for invalid ones.

use axum::{extract::Query, http::Uri};

use super::error::ApiError;

pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Parses a query. A query that cannot be decoded counts as empty.
    pub(crate) fn of(uri: &Uri) -> Self {
        Self(Query::try_from_uri(uri).map_or_else(|_| Vec::new(), |Query(fields)| fields))
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn id(&self, name: &str) -> Result<Option<u64>, ApiError> {
        self.text(name)
            .map(|text| {
                text.parse()
                    .map_err(|_| ApiError::not_snowflake(name, text))
            })
            .transpose()
    }

    pub(crate) fn limit(&self, least: usize, most: usize) -> Result<Option<usize>, ApiError> {
        let Some(text) = self.text("limit") else {
            return Ok(None);
        };
        let Ok(limit) = text.parse::<i64>() else {
            let message = format!("Value \"{text}\" is not int.");
            return Err(ApiError::invalid_form(
                "limit",
                "NUMBER_TYPE_COERCE",
                &message,
            ));
        };
        match usize::try_from(limit) {
            Ok(limit) if limit > most => Err(ApiError::invalid_form(
                "limit",
                "NUMBER_TYPE_MAX",
                &format!("int value should be less than or equal to {most}."),
            )),
            Ok(limit) if limit >= least => Ok(Some(limit)),
            _ => Err(ApiError::invalid_form(
                "limit",
                "NUMBER_TYPE_MIN",
                &format!("int value should be greater than or equal to {least}."),
            )),
        }
    }
}
