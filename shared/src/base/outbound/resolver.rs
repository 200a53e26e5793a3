//! Resolves names to the addresses that may be connected to.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::error::Refusal;
use super::hosts::Hosts;

/// Asks the system, and refuses a name if any of its addresses may not be connected to.
/// The HTTP client connects only to the addresses returned here, so the name cannot
/// resolve to something else between the check and the connection.
pub(super) struct Resolver(pub(super) Arc<Hosts>);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let hosts = self.0.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let addresses: Vec<SocketAddr> = found.collect();
            let may = |address: &SocketAddr| hosts.may_connect(name.as_str(), address.ip());
            if !addresses.iter().all(may) {
                return Err(Refusal::Address.into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}
