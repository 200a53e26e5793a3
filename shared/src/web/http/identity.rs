//! The caller a limit counts against.

use std::net::IpAddr;

use super::{Caller, Request};

/// The role of the caller's key or session and the address API Gateway saw; without a key,
/// the address alone. A caller can make up neither: the role in a cookie is sealed.
pub(super) fn identity(caller: &Caller, request: &Request) -> String {
    let address = request.source_ip().map_or("unknown".to_owned(), |text| {
        text.parse().map_or_else(|_| text.to_owned(), network)
    });
    match caller.role() {
        Some(role) => format!("{}:{address}", role.name()),
        None => address,
    }
}

/// An IPv6 address counts as its /64, since whoever has one has all of them.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_of_one_household_are_one_caller() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("2001:db8:1:2::7"), network("2001:db8:1:2::8"));
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
    }
}
