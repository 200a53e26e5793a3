//! The hosts that a client may ask.

use std::net::IpAddr;

use reqwest::Url;

use super::address::is_public;
use super::error::Refusal;

/// The hosts that a client may ask: those of a list, or all on the public internet.
///
/// A listed host is asked over `https://` at the usual port, or at the one the list names.
/// A loopback host (`127.0.0.1`, `[::1]`, `localhost`) may be listed too. It is then asked
/// over `http://` as well and, unless the list names a port, at any.
///
/// ```
/// # use shared::outbound::Hosts;
/// let hosts = Hosts::listed("cdn.example.com, 127.0.0.1:8078").expect("two hosts");
/// assert!(hosts.check("https://cdn.example.com/a.mp4").is_ok());
/// assert!(hosts.check("http://127.0.0.1:8078/a.mp4").is_ok());
/// assert!(hosts.check("https://cdn.example.com.evil.example/a.mp4").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts {
    /// `None` stands for every public host.
    listed: Option<Vec<Listed>>,
    /// Whether this machine may be asked although it is not listed.
    loopback: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Listed {
    /// In the form in which `Url` gives it.
    host: String,
    port: Option<u16>,
}

impl Hosts {
    /// All hosts on the public internet, over `https://`, at the usual port or one from
    /// 1024 on.
    pub fn public() -> Hosts {
        Hosts {
            listed: None,
            loopback: false,
        }
    }

    /// Like [`Hosts::public`], and this machine too, also over `http://`. For development
    /// and tests.
    pub fn public_and_loopback() -> Hosts {
        Hosts {
            listed: None,
            loopback: true,
        }
    }

    /// The hosts in a text, separated by commas: `host` or `host:port`. `None` if the text
    /// names no host, or something that is not one.
    pub fn listed(text: &str) -> Option<Hosts> {
        let entries = text.split(',').map(str::trim);
        let listed = entries.filter(|entry| !entry.is_empty()).map(entry);
        let listed: Vec<Listed> = listed.collect::<Option<_>>()?;
        (!listed.is_empty()).then_some(Hosts {
            listed: Some(listed),
            loopback: false,
        })
    }

    /// Reads an address that may be asked, as far as its text tells.
    ///
    /// # Errors
    /// The address is malformed or not allowed.
    pub fn check(&self, address: &str) -> Result<Url, Refusal> {
        let url = Url::parse(address).map_err(|_| Refusal::Malformed)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::Credentials);
        }
        let host = url.host_str().ok_or(Refusal::Malformed)?;
        let is_here = self.allows_loopback(host);
        match url.scheme() {
            "https" => {}
            "http" if is_here => {}
            _ => return Err(Refusal::Scheme),
        }
        let port = url.port_or_known_default().ok_or(Refusal::Port)?;
        match &self.listed {
            Some(listed) => {
                let mut same = listed.iter().filter(|one| one.host == host).peekable();
                same.peek().ok_or(Refusal::Host)?;
                if !same.any(|one| match one.port {
                    Some(listed) => listed == port,
                    None => is_here || port == 443,
                }) {
                    return Err(Refusal::Port);
                }
            }
            None if !is_here && port != 443 && port < 1024 => return Err(Refusal::Port),
            None => {}
        }
        match literal(host) {
            Some(ip) if !is_here && !is_public(ip) => Err(Refusal::Address),
            _ => Ok(url),
        }
    }

    /// Whether a connection to `address` may be made for the host `name`.
    pub(super) fn may_connect(&self, name: &str, address: IpAddr) -> bool {
        is_public(address) || self.allows_loopback(name) && address.to_canonical().is_loopback()
    }

    /// Whether `host` is this machine, and may be asked.
    fn allows_loopback(&self, host: &str) -> bool {
        let mut listed = self.listed.iter().flatten();
        is_loopback(host) && (self.loopback || listed.any(|one| one.host == host))
    }
}

/// Reads one entry of a list.
fn entry(text: &str) -> Option<Listed> {
    // Only a host and a port; `Url` would accept a path, a query and much more.
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    if !text.chars().all(allowed) {
        return None;
    }
    let url = Url::parse(&format!("https://{text}")).ok()?;
    let host = url.host_str().filter(|host| !host.is_empty())?;
    // `Url` drops a port that is the scheme's own.
    let port = match text.strip_suffix(":443") {
        Some(_) => Some(443),
        None => url.port(),
    };
    Some(Listed {
        host: host.to_owned(),
        port,
    })
}

fn literal(host: &str) -> Option<IpAddr> {
    host.trim_matches(['[', ']']).parse().ok()
}

/// Whether a host is this machine. `localhost` is reserved and cannot be registered.
fn is_loopback(host: &str) -> bool {
    match literal(host) {
        Some(ip) => ip.to_canonical().is_loopback(),
        None => host == "localhost" || host.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_hosts_are_asked_and_only_over_tls() {
        let hosts = Hosts::listed("cdn.discordapp.com,media.discordapp.net").unwrap();
        for address in [
            "https://cdn.discordapp.com/attachments/1/2/a.mp4?ex=1",
            "https://CDN.discordapp.com/a.mp4",
            "https://cdn.discordapp.com:443/a.mp4",
            "https://media.discordapp.net/a.mp4",
        ] {
            assert!(hosts.check(address).is_ok(), "{address}");
        }
        let refused = |address| hosts.check(address).unwrap_err();
        assert_eq!(refused("http://cdn.discordapp.com/a"), Refusal::Scheme);
        assert_eq!(refused("file:///etc/passwd"), Refusal::Malformed);
        assert_eq!(refused("ftp://cdn.discordapp.com/a"), Refusal::Scheme);
        assert_eq!(refused("https://cdn.discordapp.com:22/a"), Refusal::Port);
        assert_eq!(refused("https://evil.example/a"), Refusal::Host);
        assert_eq!(refused("https://cdn.discordapp.com./a"), Refusal::Host);
        assert_eq!(refused("https://acdn.discordapp.com/a"), Refusal::Host);
        assert_eq!(
            refused("https://cdn.discordapp.com@evil.example/"),
            Refusal::Credentials
        );
        assert_eq!(
            refused("https://evil.example\\@cdn.discordapp.com/"),
            Refusal::Host
        );
        assert_eq!(refused("//cdn.discordapp.com/a"), Refusal::Malformed);
        assert_eq!(refused(""), Refusal::Malformed);
    }

    #[test]
    fn this_machine_is_asked_only_if_it_is_listed() {
        let listed = Hosts::listed("127.0.0.1:8078, localhost").unwrap();
        assert!(listed.check("http://127.0.0.1:8078/a").is_ok());
        assert!(listed.check("http://localhost:9/a").is_ok());
        assert_eq!(listed.check("http://127.0.0.1:1/a"), Err(Refusal::Port));
        assert_eq!(listed.check("http://[::1]/a"), Err(Refusal::Scheme));
        assert!(
            !Hosts::listed("a.example")
                .unwrap()
                .may_connect("a.example", IpAddr::from([127, 0, 0, 1]))
        );
        assert!(listed.may_connect("localhost", IpAddr::from([127, 0, 0, 1])));
        assert!(!listed.may_connect("localhost", IpAddr::from([10, 0, 0, 1])));
    }

    #[test]
    fn a_listed_private_address_is_still_refused() {
        let hosts = Hosts::listed("10.0.0.7,[fd00::1]").unwrap();
        assert_eq!(hosts.check("https://10.0.0.7/a"), Err(Refusal::Address));
        assert_eq!(hosts.check("https://[fd00::1]/a"), Err(Refusal::Address));
    }

    #[test]
    fn any_public_host_means_no_spelling_of_a_private_one() {
        let hosts = Hosts::public();
        assert!(hosts.check("https://example.com:8443/hook").is_ok());
        assert!(hosts.check("https://[2606:4700::1111]/hook").is_ok());
        for address in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f.0.0.1/",
            "https://0177.0.0.1/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::1]/",
            "https://169.254.169.254/latest/meta-data",
            "https://０.0.0.0/",
        ] {
            assert_eq!(hosts.check(address), Err(Refusal::Address), "{address}");
        }
        assert_eq!(hosts.check("https://a.example:25/"), Err(Refusal::Port));
        assert_eq!(hosts.check("http://a.example/"), Err(Refusal::Scheme));
        assert_eq!(hosts.check("http://127.0.0.1/"), Err(Refusal::Scheme));
        assert!(
            Hosts::public_and_loopback()
                .check("http://127.0.0.1:1/")
                .is_ok()
        );
    }

    #[test]
    fn a_list_names_hosts_and_nothing_else() {
        for text in [
            "",
            " , ",
            "https://a.example",
            "a.example/path",
            "a b",
            "*.example.com",
            "a:x",
        ] {
            assert_eq!(Hosts::listed(text), None, "{text}");
        }
    }
}
