//! What an endpoint must do, whoever serves it: the embedded engine, a real Redis
//! behind the endpoint, or the service itself.
//!
//! A case is a function of an open endpoint that panics when the claim does not hold.
//! `cargo test` runs each on the embedded engine; the example `conformance` of
//! `upstash-local` runs them on any target.

/// Lists a file's cases, and makes each a test on the embedded engine. What a case
/// needs of its endpoint stands behind its name.
macro_rules! cases {
    ($($name:ident: $needs:ident,)*) => {
        pub const CASES: &[super::Case] = &[
            $(super::Case {
                name: stringify!($name),
                needs: super::Needs::$needs,
                run: |endpoint| Box::pin($name(endpoint)),
            },)*
        ];

        #[cfg(test)]
        mod embedded {
            $(#[tokio::test]
            async fn $name() {
                crate::upstash::endpoint::check(stringify!($name)).await;
            })*
        }
    };
}

mod billing;
mod compat;
mod endpoint;
mod http;
mod scripting;
mod transactions;
pub mod transcript;

use std::pin::Pin;

pub use endpoint::{Endpoint, Target};

/// What a case needs beyond the wire contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    Nothing,
    /// A database nobody else uses.
    OwnDatabase,
    /// The endpoint's options or its meter.
    OwnServer,
    /// Undeclared keys are refused.
    KeyLocking,
}

type Run = for<'a> fn(&'a Endpoint) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// A claim and how it is checked.
#[derive(Clone, Copy)]
pub struct Case {
    /// The claim.
    pub name: &'static str,
    pub needs: Needs,
    pub run: Run,
}

impl Case {
    /// Why this target cannot be asked.
    pub fn obstacle(&self, target: &Target) -> Option<&'static str> {
        match (self.needs, target) {
            (Needs::OwnDatabase, Target::Service { .. }) => Some("the database may be in use"),
            (Needs::OwnServer, Target::Service { .. }) => Some("the server is not ours"),
            (Needs::KeyLocking, Target::Redis(_)) => Some("Redis does not lock keys"),
            _ => None,
        }
    }
}

/// Every case, by family.
pub fn all() -> impl Iterator<Item = (&'static str, &'static Case)> {
    let families = [
        ("http", http::CASES),
        ("transactions", transactions::CASES),
        ("scripting", scripting::CASES),
        ("billing", billing::CASES),
        ("compat", compat::CASES),
    ];
    families
        .into_iter()
        .flat_map(|(family, cases)| cases.iter().map(move |case| (family, case)))
}
