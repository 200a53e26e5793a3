//! A route, written once.
//!
//! A [`Spec`] is a constant with the types of its parameters. Routing, the OpenAPI document
//! ([`crate::openapi`]) and the router of `cargo lambda watch` are made of it. With a
//! handler it becomes a [`Route`] of an app.

use std::marker::PhantomData;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use lambda_http::http::Method;
use serde::de::DeserializeOwned;

use super::begins::Begins;
use super::context::{Arrived, Context, Pending};
use super::{Access, Action, ApiError, Reply};

/// What is to know of a route. `P` are the parameters of its path, `Q` those of its query.
pub struct Spec<P = (), Q = ()> {
    /// HEAD is answered as GET is.
    pub method: Method,
    /// As in `template.yaml`: `{name}` stands for one segment, and is a field of `P`.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// The limit it counts against.
    pub counts_as: Action,
    /// When its check is asked.
    pub begins: Begins,
    /// What generated clients call it.
    pub id: &'static str,
    /// A sentence for the document.
    pub summary: &'static str,
    parameters: PhantomData<fn() -> (P, Q)>,
}

impl<P, Q> Spec<P, Q> {
    /// A read. Its handler's first commands go along with the check, so they must change
    /// nothing that matters: they have run when the request is refused.
    pub const fn get(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Method::GET, Action::Read, path, id, summary)
    }

    /// A change; its commands wait for the check.
    pub const fn post(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Method::POST, Action::Api, path, id, summary)
    }

    /// See [`Spec::post`].
    pub const fn put(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Method::PUT, Action::Api, path, id, summary)
    }

    /// See [`Spec::post`].
    pub const fn patch(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Method::PATCH, Action::Api, path, id, summary)
    }

    /// See [`Spec::post`].
    pub const fn delete(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Method::DELETE, Action::Api, path, id, summary)
    }

    const fn new(
        method: Method,
        counts_as: Action,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
    ) -> Self {
        Spec {
            method,
            path,
            access: Access::Api,
            counts_as,
            begins: Begins::AtOnce,
            id,
            summary,
            parameters: PhantomData,
        }
    }

    /// For whom it is; without this, for whoever has either key.
    #[must_use]
    pub const fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Counts it as another action than its method says.
    #[must_use]
    pub const fn counts_as(mut self, action: Action) -> Self {
        self.counts_as = action;
        self
    }

    /// See [`Begins::Reading`].
    #[must_use]
    pub const fn reads_first(mut self) -> Self {
        self.begins = Begins::Reading;
        self
    }

    /// The route, answered by `handler`.
    pub fn to<S, H, F>(self, handler: H) -> Route<S>
    where
        S: Send + Sync + 'static,
        P: DeserializeOwned + Send + 'static,
        Q: DeserializeOwned + Send + 'static,
        H: Fn(Context<S, P, Q>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Reply, ApiError>> + Send + 'static,
    {
        self.to_pending(move |pending| handler(pending.begin()))
    }

    /// The route, answered by a handler that decides itself when its request begins, and
    /// what it counts as: by its body, say. See [`Pending`].
    pub fn to_pending<S, H, F>(self, handler: H) -> Route<S>
    where
        S: Send + Sync + 'static,
        P: DeserializeOwned + Send + 'static,
        Q: DeserializeOwned + Send + 'static,
        H: Fn(Pending<S, P, Q>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Reply, ApiError>> + Send + 'static,
    {
        Route {
            method: self.method,
            path: self.path,
            access: self.access,
            counts_as: self.counts_as,
            begins: self.begins,
            run: Box::new(move |arrived| match arrived.read::<P, Q>() {
                Ok(pending) => handler(pending).boxed(),
                Err(error) => std::future::ready(Err(error)).boxed(),
            }),
        }
    }
}

type Run<S> =
    dyn Fn(Arrived<S>) -> BoxFuture<'static, Result<Reply, ApiError>> + Send + Sync + 'static;

/// A route of an app whose state is an `S`.
pub struct Route<S> {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) access: Access,
    pub(super) counts_as: Action,
    pub(super) begins: Begins,
    pub(super) run: Box<Run<S>>,
}
