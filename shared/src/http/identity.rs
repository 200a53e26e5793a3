//! Whom a limit counts against.

use std::net::IpAddr;

use super::{Caller, Request};

/// The key's name with the address API Gateway saw; without a key the address alone.
/// Never a header, which the caller writes.
pub(super) fn identity(caller: Caller, request: &Request) -> String {
    let address = request.source_ip().map_or("unknown".to_owned(), |text| {
        text.parse().map_or_else(|_| text.to_owned(), network)
    });
    match caller.key_name() {
        Some(name) => format!("{name}:{address}"),
        None => address,
    }
}

/// An IPv6 address stands for its /64: whoever has one has all of them.
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
