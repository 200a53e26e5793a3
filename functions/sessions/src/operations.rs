//! The routes as callers see them.

use serde_json::json;
use shared::http::{Access, Method};
use shared::openapi::Operation;

use crate::login::{Begun, Credentials};

/// One for each route.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            Method::POST,
            "/api/sessions",
            Access::Open,
            "signIn",
            "Signs in: the cookie then stands for the key.",
        )
        .body::<Credentials>()
        .reply::<Begun>(201, "Signed in.")
        // 403: a page of another site, beside somebody's cookie.
        .problems(&[401, 403]),
        Operation::new(
            Method::DELETE,
            "/api/sessions",
            Access::Open,
            "signOut",
            "Signs out.",
        )
        .query(
            "all",
            "`true` ends all sessions begun with the same key.",
            json!({ "type": "string", "enum": ["true", "false"] }),
        )
        .empty(204, "Signed out, or was not signed in.")
        .problems(&[403]),
    ]
}
