//! Parses listen addresses as people type them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;

/// A listen address: `3720`, `localhost:3720` or `127.0.0.1:3720`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    pub address: SocketAddr,
    /// The host name that was given instead of an address.
    pub name: Option<String>,
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Listen, String> {
        let port = |text: &str| {
            text.parse::<u16>()
                .map_err(|_| format!("`{text}` is not a port: expected 0 to 65535"))
        };
        if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port(text)?));
            return Ok(Listen {
                address,
                name: None,
            });
        }
        if let Ok(address) = text.parse() {
            return Ok(Listen {
                address,
                name: None,
            });
        }
        let Some((name, number)) = text.rsplit_once(':').filter(|_| !is_ip(text)) else {
            return Err(format!(
                "`{text}` has no port: expected a port such as 3000, or an address with a port \
                 such as 127.0.0.1:3000"
            ));
        };
        let number = port(number)?;
        let name = if name.is_empty() { "localhost" } else { name };
        let found: Vec<SocketAddr> = (name, number)
            .to_socket_addrs()
            .map_err(|error| format!("cannot resolve `{name}`: {error}"))?
            .collect();
        // Clients differ in which address of a name they try first, but all of them try
        // IPv4.
        let address = found.iter().find(|address| address.is_ipv4());
        let address = address.or(found.first()).copied();
        Ok(Listen {
            address: address.ok_or_else(|| format!("cannot resolve `{name}`"))?,
            name: Some(name.to_owned()),
        })
    }
}

fn is_ip(text: &str) -> bool {
    text.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_to_listen_is_a_port_a_name_with_one_or_an_address_with_one() {
        let place = |text: &str| {
            text.parse::<Listen>()
                .map(|listen| listen.address.to_string())
        };
        assert_eq!(place("3720"), Ok("127.0.0.1:3720".to_owned()));
        assert_eq!(place(":3720"), Ok("127.0.0.1:3720".to_owned()));
        assert_eq!(place("localhost:3720"), Ok("127.0.0.1:3720".to_owned()));
        assert_eq!(place("0.0.0.0:80"), Ok("0.0.0.0:80".to_owned()));
        assert_eq!(place("[::1]:3720"), Ok("[::1]:3720".to_owned()));
        for wrong in [
            "",
            "localhost",
            "127.0.0.1",
            "::1",
            "99999",
            "localhost:99999",
            "a:b",
        ] {
            assert!(place(wrong).is_err(), "{wrong}");
        }
        assert!(place("localhost").unwrap_err().contains("no port"));
    }
}
