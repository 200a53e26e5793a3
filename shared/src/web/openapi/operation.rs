//! A route as callers see it.

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::Tag;
use crate::http::{Access, Method, Spec};

pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// A route as callers see it.
#[derive(Clone)]
pub struct Operation {
    /// The HTTP method.
    pub method: Method,
    /// The path, with `{name}` for a segment.
    pub path: &'static str,
    pub(super) id: &'static str,
    pub(super) access: Access,
    pub(super) summary: &'static str,
    pub(super) description: Option<&'static str>,
    pub(super) tag: Option<&'static Tag>,
    /// The types that the parameters of the path and of the query are read as.
    pub(super) path_parameters: SchemaOf,
    pub(super) query_parameters: SchemaOf,
    pub(super) body: Option<SchemaOf>,
    pub(super) replies: Vec<Answer>,
    /// Statuses of problems besides those every route has.
    pub(super) problems: Vec<u16>,
    /// Whether it takes `If-Match`.
    pub(super) is_conditional: bool,
}

/// A reply that is not a problem.
#[derive(Clone)]
pub(super) struct Answer {
    pub status: u16,
    pub description: &'static str,
    pub body: Option<SchemaOf>,
    /// The media types of a body that is text and not JSON.
    pub texts: &'static [&'static str],
    /// Headers besides those every reply has.
    pub headers: Vec<&'static str>,
}

impl<P: JsonSchema, Q: JsonSchema> Spec<P, Q> {
    /// The route as the document has it, without its body and its replies.
    pub fn operation(self) -> Operation {
        Operation {
            method: self.method,
            path: self.path,
            id: self.id,
            access: self.access,
            summary: self.summary,
            description: None,
            tag: None,
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
    /// Says more than the summary does: what happens, and what callers should know first.
    #[must_use]
    pub fn describe(mut self, description: &'static str) -> Self {
        self.description = Some(description);
        self
    }

    /// Takes `If-Match` with the `ETag` of an earlier reply.
    #[must_use]
    pub fn conditional(mut self) -> Self {
        self.is_conditional = true;
        self.problems.push(412);
        self
    }

    /// Takes a JSON body.
    #[must_use]
    pub fn body<T: JsonSchema>(mut self) -> Self {
        self.body = Some(|generator| generator.subschema_for::<T>());
        self
    }

    /// Answers `T`.
    #[must_use]
    pub fn reply<T: JsonSchema>(self, status: u16, description: &'static str) -> Self {
        let body: SchemaOf = |generator| generator.subschema_for::<T>();
        self.answer(status, description, Some(body))
    }

    /// Answers text in one of these media types.
    #[must_use]
    pub fn text(
        self,
        status: u16,
        media_types: &'static [&'static str],
        description: &'static str,
    ) -> Self {
        let mut operation = self.answer(status, description, None);
        if let Some(reply) = operation.replies.last_mut() {
            reply.texts = media_types;
        }
        operation
    }

    /// Answers without a body.
    #[must_use]
    pub fn empty(self, status: u16, description: &'static str) -> Self {
        self.answer(status, description, None)
    }

    fn answer(mut self, status: u16, description: &'static str, body: Option<SchemaOf>) -> Self {
        self.replies.push(Answer {
            status,
            description,
            body,
            texts: &[],
            headers: Vec::new(),
        });
        self
    }

    /// The reply named last also carries this header, which `components` describes.
    #[must_use]
    pub fn header(mut self, name: &'static str) -> Self {
        if let Some(reply) = self.replies.last_mut() {
            reply.headers.push(name);
        }
        self
    }

    /// Also answers problems of these statuses.
    #[must_use]
    pub fn problems(mut self, statuses: &[u16]) -> Self {
        self.problems.extend(statuses);
        self
    }

    /// Whether it takes `If-None-Match`, and its replies have an `ETag`.
    pub(super) fn is_read(&self) -> bool {
        self.method == Method::GET
    }

    /// Whether it may be sent with an `Idempotency-Key`.
    pub(super) fn is_repeatable(&self) -> bool {
        self.method == Method::POST && self.access != Access::Open
    }

    /// The statuses of the problems it may answer, in order.
    pub(super) fn problem_statuses(&self) -> Vec<u16> {
        // Any route refuses a query it does not know, or a header that cannot be read.
        let mut statuses = vec![400, 429, 500, 503];
        if self.access != Access::Open {
            statuses.extend([401, 403]);
        }
        if self.body.is_some() {
            statuses.extend([413, 415]);
        }
        if self.is_repeatable() {
            statuses.extend([409, 422]);
        }
        statuses.extend(&self.problems);
        statuses.sort_unstable();
        statuses.dedup();
        statuses
    }
}

/// Operations of one group.
pub fn tagged(
    tag: &'static Tag,
    operations: impl IntoIterator<Item = Vec<Operation>>,
) -> Vec<Operation> {
    let operations = operations.into_iter().flatten();
    operations
        .map(|operation| Operation {
            tag: Some(tag),
            ..operation
        })
        .collect()
}
