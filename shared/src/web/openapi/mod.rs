//! What the routes take and answer, as an OpenAPI 3.1 document made of the code's own
//! types. A function lists its operations beside its routes; nothing of it is linked
//! into what is deployed.

mod document;
mod schemas;

pub use document::document;
use schemars::{JsonSchema, Schema, SchemaGenerator};
pub use schemas::SNOWFLAKE;

use crate::http::{Access, Method, Spec};

type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// A route as callers see it.
#[derive(Clone)]
pub struct Operation {
    /// The HTTP method.
    pub method: Method,
    /// The path, with `{name}` for a segment.
    pub path: &'static str,
    pub(crate) id: &'static str,
    pub(crate) access: Access,
    pub(crate) summary: &'static str,
    /// Of the parameters of the path, and of those of the query: the types by which they are
    /// read.
    pub(crate) path_parameters: SchemaOf,
    pub(crate) query_parameters: SchemaOf,
    pub(crate) body: Option<SchemaOf>,
    pub(crate) replies: Vec<Answer>,
    /// Statuses of problems besides those every route has.
    pub(crate) problems: Vec<u16>,
    /// Whether it takes `If-Match`.
    pub(crate) is_conditional: bool,
}

/// A reply that is no problem.
#[derive(Clone)]
pub(crate) struct Answer {
    pub status: u16,
    pub description: &'static str,
    pub body: Option<SchemaOf>,
}

impl<P: JsonSchema, Q: JsonSchema> Spec<P, Q> {
    /// The route as the document has it, but for its body and its replies.
    pub fn operation(self) -> Operation {
        Operation {
            method: self.method,
            path: self.path,
            id: self.id,
            access: self.access,
            summary: self.summary,
            path_parameters: |generator| generator.root_schema_for::<P>(),
            query_parameters: |generator| generator.root_schema_for::<Q>(),
            body: None,
            replies: Vec::new(),
            problems: Vec::new(),
            is_conditional: false,
        }
    }
}

impl Operation {
    /// Takes `If-Match` with the `ETag` of an earlier reply.
    #[must_use]
    pub fn conditional(mut self) -> Self {
        self.is_conditional = true;
        self.problems.push(412);
        self
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
