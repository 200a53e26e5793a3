//! Whether a request may have been sent by a page of another site.
//!
//! Loopback keeps other machines out, and no page of a browser on this one: any page can
//! send requests here, and with a name that is made to point here (DNS rebinding) read the
//! replies. What a page cannot do is choose the `Host`, `Origin` and `Sec-Fetch-Site` that
//! its browser writes, or add a header of its own without asking first.

use std::net::IpAddr;

use hyper::header::{self, HeaderMap, HeaderName};
use hyper::http::uri::Authority;
use hyper::{Method, Uri};

/// Knows the names a service is called by. The machine's loopback names and addresses
/// always are; others are given.
#[derive(Debug, Clone)]
pub struct Guard {
    listens_on: IpAddr,
    names: Vec<String>,
}

/// Why a request is refused; the text says what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error(
        "this service is not known as {0}: use a loopback name or address, or give the name with --host-name"
    )]
    Host(String),
    #[error("a request needs one Host header")]
    NoHost,
    #[error("pages of other sites may not send requests here")]
    ForeignPage,
    #[error(
        "send a header that no form can: Content-Type: application/json, Authorization, or one beginning with X-"
    )]
    PlainRequest,
}

impl Guard {
    /// For a service at `address`. Besides loopback it may be called by that address, and
    /// by `names`; listening on all addresses, by any address that is no name.
    pub fn new(address: IpAddr, names: &[String]) -> Self {
        Self {
            listens_on: address,
            names: names
                .iter()
                .map(|name| name.trim().trim_end_matches('.').to_ascii_lowercase())
                .collect(),
        }
    }

    /// Checks what every request must fulfil.
    ///
    /// # Errors
    ///
    /// [`Refusal`]: the service is called by another name, or a page of another origin calls.
    pub fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        self.check_page(uri, headers, |_| false, false)
    }

    /// The same for a service that pages of some origins may call, and pages of the same
    /// site may read from.
    ///
    /// # Errors
    ///
    /// As [`Guard::check`].
    pub fn check_open(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        is_invited: impl Fn(&str) -> bool,
    ) -> Result<(), Refusal> {
        self.check_page(uri, headers, is_invited, true)
    }

    /// The same for what people and programs control a service by: a POST also needs a
    /// header that a browser does not send for a page without asking first, as it does for
    /// every other method that changes something.
    ///
    /// # Errors
    ///
    /// As [`Guard::check`], and [`Refusal::PlainRequest`].
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
                // No browser writes that: the service itself says what is wrong with it.
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

    /// The host and port as the client wrote them.
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

/// Whether a header is one that a browser adds for a page only after asking the service,
/// which answers no such question.
fn is_deliberate(name: &HeaderName, headers: &HeaderMap) -> bool {
    if *name == header::CONTENT_TYPE {
        let kind = headers[name].as_bytes();
        let kind = kind.split(|byte| *byte == b';').next().unwrap_or_default();
        return kind.trim_ascii().eq_ignore_ascii_case(b"application/json");
    }
    // Proxies and browsers add these by themselves.
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
