//! The reply to a command, before it is encoded for the wire or for a script.

use crate::errors::CommandError;

/// One Redis reply.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    Nil,
    /// A nil array: `null` in JSON, `*-1` in RESP2.
    NilArray,
    Status(&'static str),
    /// A status whose text comes from a script.
    StatusText(Vec<u8>),
    Int(i64),
    Bulk(Vec<u8>),
    Array(Vec<Reply>),
    Error(String),
}

/// What a command function returns.
pub type Outcome = Result<Reply, CommandError>;

impl Reply {
    pub const OK: Reply = Reply::Status("OK");

    /// A string reply.
    pub fn bulk(value: impl Into<Vec<u8>>) -> Self {
        Self::Bulk(value.into())
    }

    /// A string, or nil.
    pub fn bulk_or_nil(value: Option<&Vec<u8>>) -> Self {
        value.map_or(Self::Nil, |value| Self::Bulk(value.clone()))
    }

    /// 1 or 0.
    pub fn flag(value: bool) -> Self {
        Self::Int(i64::from(value))
    }

    /// A count. It always fits, because more than `i64::MAX` items do not fit into
    /// memory.
    pub fn count(value: usize) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }

    /// A list of strings.
    pub fn bulks<T: Into<Vec<u8>>>(values: impl IntoIterator<Item = T>) -> Self {
        Self::Array(values.into_iter().map(Self::bulk).collect())
    }

    /// Appends this reply in RESP2.
    pub fn write_resp2(&self, out: &mut Vec<u8>) {
        match self {
            Self::Nil => out.extend_from_slice(b"$-1\r\n"),
            Self::NilArray => out.extend_from_slice(b"*-1\r\n"),
            Self::Status(text) => write_line(out, b'+', text.as_bytes()),
            Self::StatusText(text) => write_line(out, b'+', text),
            Self::Error(text) => write_line(out, b'-', text.as_bytes()),
            Self::Int(value) => write_line(out, b':', value.to_string().as_bytes()),
            Self::Bulk(value) => {
                write_line(out, b'$', value.len().to_string().as_bytes());
                out.extend_from_slice(value);
                out.extend_from_slice(b"\r\n");
            }
            Self::Array(items) => {
                write_line(out, b'*', items.len().to_string().as_bytes());
                for item in items {
                    item.write_resp2(out);
                }
            }
        }
    }
}

impl From<Outcome> for Reply {
    fn from(outcome: Outcome) -> Self {
        outcome.unwrap_or_else(|error| Self::Error(error.text().to_owned()))
    }
}

fn write_line(out: &mut Vec<u8>, kind: u8, text: &[u8]) {
    out.push(kind);
    // A line break inside a status or an error would end the reply early.
    out.extend(text.iter().map(|byte| match byte {
        b'\r' | b'\n' => b' ',
        other => *other,
    }));
    out.extend_from_slice(b"\r\n");
}
