//! Encodes replies as JSON, with plain or base64 strings, or as raw RESP2.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::reply::Reply;

/// The reply encoding that a client asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Plain JSON strings. Invalid UTF-8 becomes U+FFFD.
    Plain,
    /// Every string in base64, except the status `OK`.
    Base64,
    /// RESP2 instead of JSON.
    Resp2,
}

/// The body of one reply.
pub fn reply(reply: &Reply, encoding: Encoding) -> Vec<u8> {
    let mut out = Vec::new();
    put_reply(&mut out, reply, encoding);
    out
}

/// The body of a pipeline or transaction.
pub fn replies(replies: &[Reply], encoding: Encoding) -> Vec<u8> {
    let mut out = Vec::new();
    if encoding == Encoding::Resp2 {
        for reply in replies {
            reply.write_resp2(&mut out);
        }
        return out;
    }
    out.push(b'[');
    for (index, reply) in replies.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        put_reply(&mut out, reply, encoding);
    }
    out.push(b']');
    out
}

/// `{"error": text}`, or the same in RESP2.
pub fn error(text: &str, encoding: Encoding) -> Vec<u8> {
    reply(&Reply::Error(text.to_owned()), encoding)
}

fn put_reply(out: &mut Vec<u8>, reply: &Reply, encoding: Encoding) {
    match reply {
        reply if encoding == Encoding::Resp2 => reply.write_resp2(out),
        Reply::Error(text) => {
            out.extend_from_slice(b"{\"error\":");
            put_string(out, text);
            out.push(b'}');
        }
        reply => {
            out.extend_from_slice(b"{\"result\":");
            put_value(out, reply, encoding);
            out.push(b'}');
        }
    }
}

fn put_value(out: &mut Vec<u8>, reply: &Reply, encoding: Encoding) {
    match reply {
        Reply::Nil | Reply::NilArray => out.extend_from_slice(b"null"),
        Reply::Int(value) => out.extend_from_slice(value.to_string().as_bytes()),
        Reply::Status("OK") => out.extend_from_slice(b"\"OK\""),
        Reply::StatusText(text) if text == b"OK" => out.extend_from_slice(b"\"OK\""),
        Reply::Status(text) => put_bytes(out, text.as_bytes(), encoding),
        Reply::StatusText(text) | Reply::Bulk(text) => put_bytes(out, text, encoding),
        // JSON has no separate form for an error inside an array.
        Reply::Error(text) => put_string(out, text),
        Reply::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                put_value(out, item, encoding);
            }
            out.push(b']');
        }
    }
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8], encoding: Encoding) {
    match encoding {
        Encoding::Base64 => {
            out.push(b'"');
            out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
            out.push(b'"');
        }
        _ => put_string(out, &String::from_utf8_lossy(bytes)),
    }
}

fn put_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut plain = 0;
    let bytes = text.as_bytes();
    for (index, byte) in bytes.iter().enumerate() {
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0..0x20 => b"",
            _ => continue,
        };
        out.extend_from_slice(&bytes[plain..index]);
        plain = index + 1;
        match escape {
            b"" => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            escape => out.extend_from_slice(escape),
        }
    }
    out.extend_from_slice(&bytes[plain..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_json_or_base64() {
        let value = Reply::Array(vec![
            Reply::bulk("a\"\n\u{1}"),
            Reply::Int(i64::MIN),
            Reply::Nil,
        ]);
        let plain = String::from_utf8(reply(&value, Encoding::Plain)).unwrap();
        assert_eq!(
            plain,
            r#"{"result":["a\"\n\u0001",-9223372036854775808,null]}"#
        );
        assert_eq!(reply(&Reply::OK, Encoding::Base64), br#"{"result":"OK"}"#);
        assert_eq!(
            reply(&Reply::bulk("OK"), Encoding::Base64),
            br#"{"result":"T0s="}"#
        );
        assert_eq!(
            reply(&Reply::bulk([0xff]), Encoding::Plain),
            "{\"result\":\"\u{fffd}\"}".as_bytes()
        );
    }
}
