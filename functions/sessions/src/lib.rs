//! Signs people in and out.

mod login;
mod operations;

use futures_util::FutureExt as _;
use shared::http::{Access, App, Auth, Method, Route, Services};
use shared::session::Sessions;

pub use operations::operations;

/// What the handlers use.
pub struct State {
    pub auth: Auth,
    pub sessions: Sessions,
}

/// The function's routes.
pub fn routes() -> Vec<Route<State>> {
    vec![
        Route {
            method: Method::POST,
            path: "/api/sessions",
            access: Access::Open,
            query: &[],
            handler: |state, redis, request| login::create(state, redis, request).boxed(),
        },
        Route {
            method: Method::DELETE,
            path: "/api/sessions",
            access: Access::Open,
            query: &["all"],
            handler: |state, redis, request| login::end(state, redis, request).boxed(),
        },
    ]
}

/// The function.
pub fn app(services: Services) -> App<State> {
    let state = State {
        auth: services.auth.clone(),
        sessions: services.sessions.clone(),
    };
    App::new(services, state, routes())
}
