//! What every endpoint must do: the embedded engine, a real Redis behind the endpoint, or
//! the hosted service.
//!
//! A case is a function that takes an open endpoint and panics if the claim does not
//! hold. `cargo test` runs all cases on the embedded engine. The example `conformance` of
//! `upstash-local` runs them on any target.

/// Lists the cases of a file and turns each into a test on the embedded engine. What a
/// case needs from its endpoint follows its name.
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

/// What a case needs beyond the HTTP API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    Nothing,
    /// A database that is not shared.
    OwnDatabase,
    /// Access to the endpoint's options or its meter.
    OwnServer,
    /// Undeclared keys are refused.
    KeyLocking,
}

type Run = for<'a> fn(&'a Endpoint) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// A claim and its check.
#[derive(Clone, Copy)]
pub struct Case {
    /// The claim.
    pub name: &'static str,
    pub needs: Needs,
    pub run: Run,
}

impl Case {
    /// Why this target cannot run the case.
    pub fn obstacle(&self, target: &Target) -> Option<&'static str> {
        match (self.needs, target) {
            (Needs::OwnDatabase, Target::Service { .. }) => Some("the database may be in use"),
            (Needs::OwnServer, Target::Service { .. }) => Some("the server is not ours"),
            (Needs::KeyLocking, Target::Redis(_)) => Some("Redis does not lock keys"),
            _ => None,
        }
    }
}

/// All cases, by family.
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
