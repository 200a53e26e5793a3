//! Exchanges with the routes, shown as examples. They are recorded by a test that sends the
//! event files, so what the document shows is what was answered.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// A request and its reply.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Method and path of the operation, as `GET /api/jobs/{jobId}`.
    pub operation: String,
    /// The name of the example.
    pub name: String,
    /// The parameters of path and query that were sent.
    pub parameters: BTreeMap<String, String>,
    /// The body that was sent.
    pub request: Option<Value>,
    /// The status of the reply.
    pub status: u16,
    /// The body of the reply.
    pub reply: Option<Value>,
}

/// The most examples of one kind of problem.
const MOST: usize = 4;

/// The exchanges of one operation that succeeded.
pub(super) struct Succeeded<'a>(Vec<&'a Exchange>);

impl<'a> Succeeded<'a> {
    pub fn of(operation: &str, exchanges: &'a [Exchange]) -> Succeeded<'a> {
        let own = exchanges.iter();
        let own = own.filter(|exchange| exchange.operation == operation && exchange.status < 400);
        Succeeded(own.collect())
    }

    /// What was sent for a parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut sent = self.0.iter();
        sent.find_map(|exchange| exchange.parameters.get(name))
            .map(String::as_str)
    }

    /// The bodies that were sent.
    pub fn requests(&self) -> Map<String, Value> {
        let sent = self.0.iter();
        named(sent.filter_map(|exchange| Some((&exchange.name, exchange.request.as_ref()?))))
    }

    /// The bodies of the replies with a status.
    pub fn replies(&self, status: u16) -> Map<String, Value> {
        let replies = self.0.iter().filter(|exchange| exchange.status == status);
        named(replies.filter_map(|exchange| Some((&exchange.name, exchange.reply.as_ref()?))))
    }
}

/// The problems of a status that any operation answered.
pub(super) fn problems(status: u16, exchanges: &[Exchange]) -> Map<String, Value> {
    let answered = exchanges
        .iter()
        .filter(|exchange| exchange.status == status);
    let answered = answered.filter_map(|exchange| {
        let is_problem = exchange.reply.as_ref()?["code"].is_string();
        is_problem.then_some((&exchange.name, exchange.reply.as_ref()?))
    });
    named(answered.take(MOST))
}

fn named<'a>(examples: impl Iterator<Item = (&'a String, &'a Value)>) -> Map<String, Value> {
    examples
        .map(|(name, value)| (name.clone(), json!({ "value": value })))
        .collect()
}
