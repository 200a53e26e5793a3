//! Refuses requests that a web page of another site may have sent.
//!
//! Listening on loopback keeps other machines out, but not web pages in a local browser.
//! Any page can send requests here, and a page whose host name is made to resolve here
//! (DNS rebinding) can also read the replies. A page cannot choose the `Host`, `Origin`
//! and `Sec-Fetch-Site` headers that the browser sends, and cannot add other headers
//! without a CORS preflight.

use std::net::IpAddr;

use hyper::header::{self, HeaderMap, HeaderName};
use hyper::http::uri::Authority;
use hyper::{Method, Uri};

/// The host names that a service accepts: always the machine's loopback names and
/// addresses, plus any that are configured.
#[derive(Debug, Clone)]
pub struct Guard {
    listens_on: IpAddr,
    names: Vec<String>,
}

/// Why a request is refused. The text says what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error(
        "host name {0} is not accepted: use a loopback name or address, or add the name with --host-name"
    )]
    Host(String),
    #[error("a request must have exactly one Host header")]
    NoHost,
    #[error("requests from pages of other sites are not allowed")]
    ForeignPage,
    #[error(
        "send a header that an HTML form cannot send: Content-Type: application/json, Authorization, or one that starts with X-"
    )]
    PlainRequest,
}

impl Guard {
    /// For a service at `address`. Besides loopback, it accepts that address and `names`.
    /// If it listens on all addresses, it accepts any IP address as the host.
    pub fn new(address: IpAddr, names: &[String]) -> Self {
        Self {
            listens_on: address,
            names: names
                .iter()
                .map(|name| name.trim().trim_end_matches('.').to_ascii_lowercase())
                .collect(),
        }
    }

    /// Checks the rules that apply to every request.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] if the host name is not accepted or the request comes from a page of
    /// another origin.
    pub fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        self.check_page(uri, headers, |_| false, false)
    }

    /// Like [`Guard::check`], for a service that pages of some origins may call and that
    /// pages of the same site may read.
    ///
    /// # Errors
    ///
    /// As for [`Guard::check`].
    pub fn check_open(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        is_invited: impl Fn(&str) -> bool,
    ) -> Result<(), Refusal> {
        self.check_page(uri, headers, is_invited, true)
    }

    /// Like [`Guard::check`], for requests that control a service. A POST must also have
    /// a header that a browser sends for a page only after a CORS preflight. Other
    /// methods that change something always need a preflight.
    ///
    /// # Errors
    ///
    /// As for [`Guard::check`], and [`Refusal::PlainRequest`].
    pub fn check_control(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(), Refusal> {
        self.check(uri, headers)?;
        let any_page_can = *method == Method::POST;
        match !any_page_can || headers.iter().any(|(name, _)| is_deliberate(name, headers)) {
            true => Ok(()),
            false => Err(Refusal::PlainRequest),
        }
    }

    fn check_page(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        is_invited: impl Fn(&str) -> bool,
        same_site_may_read: bool,
    ) -> Result<(), Refusal> {
        let host = self.check_host(uri, headers)?;
        let mut invited = false;
        for origin in headers.get_all(header::ORIGIN) {
            let origin = match origin.to_str() {
                Ok(origin) => origin,
                // No browser sends this; the service itself reports the error.
                Err(_) if same_site_may_read => continue,
                Err(_) => return Err(Refusal::ForeignPage),
            };
            let is_own = origin
                .split_once("://")
                .is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(&host));
            if !is_own && !is_invited(origin) {
                return Err(Refusal::ForeignPage);
            }
            invited = true;
        }
        for site in headers.get_all("sec-fetch-site") {
            match site.as_bytes() {
                b"none" | b"same-origin" => {}
                b"same-site" if same_site_may_read || invited => {}
                b"cross-site" if invited => {}
                other if same_site_may_read && !other.is_ascii() => {}
                _ => return Err(Refusal::ForeignPage),
            }
        }
        Ok(())
    }

    /// The host and port as sent by the client.
    fn check_host(&self, uri: &Uri, headers: &HeaderMap) -> Result<String, Refusal> {
        let mut sent = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (sent.next(), sent.next()) else {
            return Err(Refusal::NoHost);
        };
        let host = String::from_utf8_lossy(host.as_bytes()).into_owned();
        let absolute = uri
            .authority()
            .map(|authority| authority.as_str().to_owned());
        for name in [Some(host.clone()), absolute].into_iter().flatten() {
            if !self.is_known(&name) {
                return Err(Refusal::Host(name.chars().take(100).collect()));
            }
        }
        Ok(host)
    }

    fn is_known(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else {
            return false;
        };
        if host.contains('@') {
            return false;
        }
        let name = authority.host().to_ascii_lowercase();
        let name = name.strip_suffix('.').unwrap_or(&name);
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>() {
            let address = address.to_canonical();
            return address.is_loopback()
                || address == self.listens_on.to_canonical()
                || self.listens_on.is_unspecified()
                || self.names.iter().any(|given| given == bare);
        }
        name == "localhost"
            || name.ends_with(".localhost")
            || self.names.iter().any(|given| given == name)
    }
}

/// Whether a browser would send this header for a page only after a CORS preflight, which
/// this service never answers.
fn is_deliberate(name: &HeaderName, headers: &HeaderMap) -> bool {
    if *name == header::CONTENT_TYPE {
        let kind = headers[name].as_bytes();
        let kind = kind.split(|byte| *byte == b';').next().unwrap_or_default();
        return kind.trim_ascii().eq_ignore_ascii_case(b"application/json");
    }
    // Proxies and browsers add these on their own.
    let by_themselves = ["x-forwarded-", "x-real-ip", "x-client-data"];
    let name = name.as_str();
    let own = name.starts_with("x-") && !by_themselves.iter().any(|other| name.starts_with(other));
    own || name == "authorization"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    fn check(pairs: &[(&'static str, &str)]) -> Result<(), Refusal> {
        let guard = Guard::new("172.17.0.1".parse().unwrap(), &["Box.Example.".to_owned()]);
        guard.check(&Uri::from_static("/"), &headers(pairs))
    }

    #[test]
    fn a_service_is_called_by_loopback_names_and_those_given() {
        for host in [
            "localhost",
            "LOCALHOST:8079",
            "localhost.:1",
            "a.localhost",
            "127.0.0.1",
            "127.9.9.9:80",
            "[::1]:8079",
            "[::ffff:127.0.0.1]",
            "172.17.0.1:8079",
            "box.example:1",
        ] {
            assert_eq!(check(&[("host", host)]), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "evil.example@localhost",
            "notlocalhost",
            "10.0.0.1",
            "172.17.0.2",
            "2130706433",
            "",
            "a b",
        ] {
            assert!(check(&[("host", host)]).is_err(), "{host}");
        }
        assert_eq!(check(&[]), Err(Refusal::NoHost));
        let twice = [("host", "localhost"), ("host", "evil.example")];
        assert_eq!(check(&twice), Err(Refusal::NoHost));
    }

    #[test]
    fn listening_everywhere_it_is_called_by_any_address_but_no_name() {
        let guard = Guard::new("0.0.0.0".parse().unwrap(), &[]);
        let uri = Uri::from_static("/");
        assert_eq!(
            guard.check(&uri, &headers(&[("host", "10.0.0.7:80")])),
            Ok(())
        );
        assert!(
            guard
                .check(&uri, &headers(&[("host", "evil.example")]))
                .is_err()
        );
    }

    #[test]
    fn a_page_of_its_own_origin_may_call_and_no_other() {
        let host = ("host", "localhost:3000");
        assert_eq!(check(&[host, ("origin", "http://localhost:3000")]), Ok(()));
        assert_eq!(check(&[host, ("sec-fetch-site", "same-origin")]), Ok(()));
        assert_eq!(check(&[host, ("sec-fetch-site", "none")]), Ok(()));
        for foreign in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", ""),
            ("origin", "http://localhost:3001"),
            ("origin", "http://localhost:3000.evil.example"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "Cross-Site"),
        ] {
            assert_eq!(
                check(&[host, foreign]),
                Err(Refusal::ForeignPage),
                "{foreign:?}"
            );
        }
    }

    #[test]
    fn an_invited_page_may_call_from_another_site() {
        let guard = Guard::new("127.0.0.1".parse().unwrap(), &[]);
        let ask = |pairs: &[(&'static str, &str)]| {
            let mut all = vec![("host", "127.0.0.1:3000")];
            all.extend(pairs);
            let invited = |origin: &str| origin == "https://clips.example";
            guard.check_open(&Uri::from_static("/"), &headers(&all), invited)
        };
        let origin = ("origin", "https://clips.example");
        assert_eq!(ask(&[origin, ("sec-fetch-site", "cross-site")]), Ok(()));
        assert_eq!(ask(&[("sec-fetch-site", "same-site")]), Ok(()));
        assert!(ask(&[("sec-fetch-site", "cross-site")]).is_err());
        assert!(ask(&[("origin", "https://clips.example.evil")]).is_err());
    }

    #[test]
    fn control_wants_a_header_that_no_form_can_send() {
        let guard = Guard::new("127.0.0.1".parse().unwrap(), &[]);
        let ask = |method: Method, more: &[(&'static str, &str)]| {
            let mut all = vec![("host", "127.0.0.1")];
            all.extend(more);
            guard.check_control(&method, &Uri::from_static("/"), &headers(&all))
        };
        assert_eq!(ask(Method::GET, &[]), Ok(()));
        assert_eq!(ask(Method::DELETE, &[]), Ok(()));
        for plain in [
            &[][..],
            &[("content-type", "text/plain")],
            &[("content-type", "application/x-www-form-urlencoded")],
            &[("content-type", "text/plain; application/json")],
            &[("accept", "*/*"), ("x-forwarded-for", "1.2.3.4")],
        ] {
            assert_eq!(
                ask(Method::POST, plain),
                Err(Refusal::PlainRequest),
                "{plain:?}"
            );
        }
        for deliberate in [
            ("content-type", "application/json; charset=utf-8"),
            ("authorization", "Bearer key"),
            ("x-amz-invocation-type", "Event"),
        ] {
            assert_eq!(ask(Method::POST, &[deliberate]), Ok(()), "{deliberate:?}");
        }
    }
}
