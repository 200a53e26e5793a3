//! An app as the local gateway and the tests see it.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use lambda_http::Body;
use lambda_http::http::{Method, Response};

use super::{Access, App, Caller, Request};

/// An app without the type of its state.
pub trait AnyApp: Send + Sync + 'static {
    /// Method and path of each route; HEAD wherever GET is.
    fn routes(&self) -> Vec<(Method, &'static str)>;

    /// Answers one request; never fails.
    fn answer(&self, request: lambda_http::Request) -> BoxFuture<'_, Response<Body>>;

    /// Who sends a request, judged by its head, so that the body of a request that will be
    /// refused need not be read.
    fn sender(&self, head: lambda_http::Request) -> BoxFuture<'_, Sender>;
}

/// Who sends a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// Has a key, or a session begun with one.
    Known,
    /// Has none, at a route that asks for none.
    Stranger,
    /// Will be refused.
    Refused,
}

impl<S: Send + Sync + 'static> AnyApp for App<S> {
    fn routes(&self) -> Vec<(Method, &'static str)> {
        let routes = self.routes.iter();
        let routes = routes.flat_map(|route| match route.method {
            Method::GET => vec![(Method::GET, route.path), (Method::HEAD, route.path)],
            _ => vec![(route.method.clone(), route.path)],
        });
        routes.collect()
    }

    fn answer(&self, request: lambda_http::Request) -> BoxFuture<'_, Response<Body>> {
        App::answer(self, request).boxed()
    }

    fn sender(&self, head: lambda_http::Request) -> BoxFuture<'_, Sender> {
        async move {
            let head = Request::new(head);
            let Ok((route, _)) = self.find(head.method(), head.path()) else {
                return Sender::Refused;
            };
            match self.services.auth.caller(&head).await {
                Caller::Anonymous if route.access == Access::Open => Sender::Stranger,
                Caller::Anonymous => Sender::Refused,
                _ => Sender::Known,
            }
        }
        .boxed()
    }
}
