//! Refuses requests that a web page of another site may have sent.
//!
//! Any web page open in a local browser can send requests to this machine. A page whose
//! host name is made to resolve here (DNS rebinding) can also read the replies. A page
//! cannot choose the `Host`, `Origin` and `Sec-Fetch-Site` headers that the browser
//! sends, and cannot add other headers without a CORS preflight, which this server never
//! answers.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, Method, Uri, header, uri::Authority};

/// Checks requests against the host names that the server accepts.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    address: IpAddr,
    names: Vec<String>,
}

impl Guard {
    pub(crate) fn new(address: IpAddr, names: &[String]) -> Self {
        let names = names.iter().map(|name| name.trim().to_ascii_lowercase());
        Self {
            address,
            names: names.collect(),
        }
    }

    /// Returns the reason if a request is refused.
    pub(crate) fn refusal(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Option<&'static str> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Some("a request must have exactly one Host header");
        };
        let host = host.to_str().unwrap_or_default();
        let absolute = uri.authority().map(Authority::as_str);
        if !self.is_known(host) || absolute.is_some_and(|name| !self.is_known(name)) {
            return Some(
                "this host name is not accepted: use a loopback name or address, \
                 or give the name with --host-name",
            );
        }
        let is_own = |origin: &str| {
            origin
                .split_once("://")
                .is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
        };
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let mut sites = headers.get_all("sec-fetch-site").iter();
        // A local dashboard may embed files, as any page may embed Discord's.
        let shows_files = uri.path().starts_with("/attachments/");
        if !origins.all(|origin| origin.to_str().is_ok_and(is_own))
            || !sites.all(|site| match site.as_bytes() {
                b"none" | b"same-origin" => true,
                site => shows_files && site == b"same-site",
            })
        {
            return Some("requests from pages of other sites are not allowed");
        }
        // Browsers send a preflight before any other method that changes something.
        let controls = uri.path().starts_with("/control") && *method == Method::POST;
        if controls && !headers.keys().any(|name| is_deliberate(name, headers)) {
            return Some(
                "send a header that an HTML form cannot send: Content-Type: application/json, \
                 Authorization, or one beginning with X-",
            );
        }
        None
    }

    fn is_known(&self, host: &str) -> bool {
        let authority = host.parse::<Authority>();
        let Ok(authority) = authority.as_ref() else {
            return false;
        };
        let name = authority.host().to_ascii_lowercase();
        let name = name.strip_suffix('.').unwrap_or(&name);
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        let is_given = self.names.iter().any(|given| given == bare);
        if let Ok(address) = bare.parse::<IpAddr>() {
            let address = address.to_canonical();
            let is_ours = address == self.address.to_canonical() || self.address.is_unspecified();
            return address.is_loopback() || is_ours || is_given;
        }
        let is_local = name == "localhost" || name.ends_with(".localhost");
        !host.contains('@') && (is_local || is_given)
    }
}

/// Whether a browser would send this header for a page only after a preflight.
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
