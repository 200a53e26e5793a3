//! What the routes take and answer, as an OpenAPI 3.1 document made of the code's own
//! types. A function lists its operations beside its routes; nothing of it is linked
//! into what is deployed.

mod document;
mod schemas;

pub use document::document;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use crate::http::{Access, Method};

type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// A route as callers see it.
pub struct Operation {
    pub method: Method,
    pub path: &'static str,
    pub(crate) id: &'static str,
    pub(crate) access: Access,
    pub(crate) summary: &'static str,
    pub(crate) query: Vec<Parameter>,
    pub(crate) body: Option<SchemaOf>,
    pub(crate) replies: Vec<Answer>,
    /// Statuses of problems besides those every route has.
    pub(crate) problems: Vec<u16>,
    /// Whether it takes `If-Match`.
    pub(crate) is_conditional: bool,
}

/// A parameter of the query.
pub(crate) struct Parameter {
    pub name: &'static str,
    pub description: &'static str,
    pub schema: Value,
    pub required: bool,
}

/// A reply that is no problem.
pub(crate) struct Answer {
    pub status: u16,
    pub description: &'static str,
    pub body: Option<SchemaOf>,
}

impl Operation {
    /// `id` is what generated clients call it.
    pub fn new(
        method: Method,
        path: &'static str,
        access: Access,
        id: &'static str,
        summary: &'static str,
    ) -> Operation {
        Operation {
            method,
            path,
            id,
            access,
            summary,
            query: Vec::new(),
            body: None,
            replies: Vec::new(),
            problems: Vec::new(),
            is_conditional: false,
        }
    }

    /// The names its query may have.
    pub fn query_names(&self) -> Vec<&'static str> {
        self.query.iter().map(|parameter| parameter.name).collect()
    }

    /// Takes `If-Match` with the `ETag` of an earlier reply.
    #[must_use]
    pub fn conditional(mut self) -> Self {
        self.is_conditional = true;
        self.problems.push(412);
        self
    }

    /// A parameter of the query that may be left out.
    #[must_use]
    pub fn query(mut self, name: &'static str, description: &'static str, schema: Value) -> Self {
        self.query.push(Parameter {
            name,
            description,
            schema,
            required: false,
        });
        self
    }

    /// A parameter of the query that may not be left out.
    #[must_use]
    pub fn required_query(
        mut self,
        name: &'static str,
        description: &'static str,
        schema: Value,
    ) -> Self {
        self.query.push(Parameter {
            name,
            description,
            schema,
            required: true,
        });
        self
    }

    /// Takes a page's `cursor` and `limit`, up to `most`.
    #[must_use]
    pub fn paged(self, default: u64, most: u64) -> Self {
        self.query(
            "cursor",
            "The `cursor` of an earlier reply; without it, the first page.",
            json!({ "type": "string" }),
        )
        .query(
            "limit",
            "How many at most.",
            json!({ "type": "integer", "minimum": 1, "maximum": most, "default": default }),
        )
    }

    /// Takes a body of JSON.
    #[must_use]
    pub fn body<T: JsonSchema>(mut self) -> Self {
        self.body = Some(|generator| generator.subschema_for::<T>());
        self
    }

    /// Answers `T`.
    #[must_use]
    pub fn reply<T: JsonSchema>(mut self, status: u16, description: &'static str) -> Self {
        self.replies.push(Answer {
            status,
            description,
            body: Some(|generator| generator.subschema_for::<T>()),
        });
        self
    }

    /// Answers without a body.
    #[must_use]
    pub fn empty(mut self, status: u16, description: &'static str) -> Self {
        self.replies.push(Answer {
            status,
            description,
            body: None,
        });
        self
    }

    /// Also answers problems of these statuses.
    #[must_use]
    pub fn problems(mut self, statuses: &[u16]) -> Self {
        self.problems.extend(statuses);
        self
    }
}
