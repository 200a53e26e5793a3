//! Parses addresses as people type them.

/// The URL of a service, from `3721`, `127.0.0.1:3721` or `http://127.0.0.1:3721`.
///
/// # Errors
/// If the text is not an address.
pub(crate) fn service_url(text: &str) -> Result<String, String> {
    let text = text.trim().trim_end_matches('/');
    let url = match text.split_once("://") {
        Some(("http" | "https", rest)) if !rest.is_empty() => text.to_owned(),
        Some(_) => {
            return Err(format!(
                "`{text}` is not a service address: expected http:// or https:// and a host"
            ));
        }
        None if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("http://127.0.0.1:{text}")
        }
        None => format!("http://{text}"),
    };
    let has_host = reqwest::Url::parse(&url)
        .is_ok_and(|url| url.host_str().is_some_and(|host| !host.is_empty()))
        // A colon must be followed by a port.
        && !url.ends_with(':');
    match has_host {
        true => Ok(url),
        false => Err(format!(
            "`{text}` is not a service address: expected one such as http://127.0.0.1:3000"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_named_with_or_without_the_scheme() {
        for (given, meant) in [
            ("3721", "http://127.0.0.1:3721"),
            ("127.0.0.1:3721", "http://127.0.0.1:3721"),
            ("localhost:3721", "http://localhost:3721"),
            ("http://127.0.0.1:3721/", "http://127.0.0.1:3721"),
            ("https://clips.example", "https://clips.example"),
        ] {
            assert_eq!(service_url(given).as_deref(), Ok(meant), "{given}");
        }
        for wrong in [
            "",
            "ftp://a",
            "http://",
            "a b",
            "127.0.0.1:99999",
            "localhost:",
        ] {
            assert!(service_url(wrong).is_err(), "{wrong}");
        }
    }
}
