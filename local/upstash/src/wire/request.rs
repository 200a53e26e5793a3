//! Decodes a request's path, query and body into commands.

use std::borrow::Cow;

use super::encode::Encoding;
use super::json;
use crate::engine::Command;
use crate::meter::RequestKind;

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Parsed {
    pub kind: RequestKind,
    pub commands: Vec<Command>,
}

/// Parses the three forms: a path, a command array, and an array of command arrays.
///
/// # Errors
///
/// The error text to return. Nothing has run.
pub fn parse(path: &str, query: Option<&str>, body: &[u8]) -> Result<Parsed, String> {
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    match segments.as_slice() {
        [""] => {
            let command = json::command(&utf8(body)).map_err(|error| error.to_string())?;
            Ok(Parsed {
                kind: RequestKind::Single,
                commands: vec![command],
            })
        }
        [name] | [name, ""] if name.eq_ignore_ascii_case("pipeline") => {
            batch(RequestKind::Pipeline, body)
        }
        [name] | [name, ""] if name.eq_ignore_ascii_case("multi-exec") => {
            batch(RequestKind::MultiExec, body)
        }
        segments => {
            let mut command: Command = segments
                .iter()
                .map(|segment| percent_decode(segment, false))
                .collect();
            if !body.is_empty() {
                command.push(body.to_vec());
            }
            for (name, value) in query_pairs(query) {
                if name == b"_token" {
                    continue;
                }
                command.push(name);
                command.extend(value);
            }
            Ok(Parsed {
                kind: RequestKind::Single,
                commands: vec![command],
            })
        }
    }
}

fn batch(kind: RequestKind, body: &[u8]) -> Result<Parsed, String> {
    let commands = json::commands(&utf8(body)).map_err(|error| error.to_string())?;
    match commands.is_empty() {
        true => Err("ERR empty pipeline request".into()),
        false => Ok(Parsed { kind, commands }),
    }
}

fn utf8(body: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(body)
}

/// The token in a `?_token=` query parameter.
pub fn query_token(query: Option<&str>) -> Option<Vec<u8>> {
    query_pairs(query)
        .find(|(name, _)| name == b"_token")
        .and_then(|(_, value)| value)
}

type Pair = (Vec<u8>, Option<Vec<u8>>);

fn query_pairs(query: Option<&str>) -> impl Iterator<Item = Pair> {
    let parts = query
        .unwrap_or_default()
        .split('&')
        .filter(|part| !part.is_empty());
    parts.map(|part| match part.split_once('=') {
        Some((name, "")) => (percent_decode(name, true), None),
        Some((name, value)) => (
            percent_decode(name, true),
            Some(percent_decode(value, true)),
        ),
        None => (percent_decode(part, true), None),
    })
}

/// Decodes percent-encoding. An invalid escape is left as it is.
pub fn percent_decode(text: &str, plus_is_space: bool) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(if plus_is_space && bytes[at] == b'+' {
                    b' '
                } else {
                    bytes[at]
                });
                at += 1;
            }
        }
    }
    out
}

/// The encoding that the headers ask for.
///
/// # Errors
///
/// The error text to return, for an unknown format or an unsupported combination.
pub fn encoding(
    encoding: Option<&[u8]>,
    format: Option<&[u8]>,
    path: &str,
) -> Result<Encoding, &'static str> {
    let base64 = match encoding {
        None => false,
        Some(name) if name.eq_ignore_ascii_case(b"base64") => true,
        Some(_) => return Err("ERR unsupported Upstash-Encoding: only base64 is known"),
    };
    match format {
        None if base64 => Ok(Encoding::Base64),
        None => Ok(Encoding::Plain),
        Some(name) if !name.eq_ignore_ascii_case(b"resp2") => {
            Err("ERR unsupported Upstash-Response-Format: only resp2 is known")
        }
        Some(_) if base64 => Err("ERR resp2 replies are not encoded in base64"),
        Some(_) if path.trim_matches('/').eq_ignore_ascii_case("multi-exec") => {
            Err("ERR resp2 replies are not available for transactions")
        }
        Some(_) => Ok(Encoding::Resp2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(path: &str, query: Option<&str>, body: &str) -> Vec<String> {
        let parsed = parse(path, query, body.as_bytes()).unwrap();
        let words = parsed.commands[0].iter();
        words
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect()
    }

    #[test]
    fn path_body_and_query_make_one_command() {
        assert_eq!(words("/get/a%20b%2Fc+d", None, ""), ["get", "a b/c+d"]);
        assert_eq!(
            words("/set/foo", Some("EX=100&_token=t&NX"), "value"),
            ["set", "foo", "value", "EX", "100", "NX"]
        );
        assert_eq!(words("/", None, r#"["PING"]"#), ["PING"]);
    }
}
