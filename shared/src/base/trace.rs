//! The trace that a request belongs to.
//!
//! It is stored as a W3C `traceparent` of 55 characters, whatever its source was: a
//! caller's `traceparent` header, or X-Ray's
//! `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=…`, whose id is the same 32 digits with
//! dashes.

/// A trace, and the span in it that caused the current work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace(String);

impl Trace {
    /// Parses a `traceparent`. From a future version, the known part is kept.
    pub fn parse(traceparent: &str) -> Option<Trace> {
        let mut parts = traceparent.split('-');
        let (version, trace, parent, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_known = version == "00";
        if !is_hex(version, 2) || version == "ff" || (is_known && parts.next().is_some()) {
            return None;
        }
        Trace::of(trace, parent, Some(flags).filter(|flags| is_hex(flags, 2))?)
    }

    /// Parses X-Ray's header, as Lambda and API Gateway send it.
    pub fn from_xray(header: &str) -> Option<Trace> {
        let field = |name: &str| {
            let mut fields = header.split(';').filter_map(|field| field.split_once('='));
            let (_, value) = fields.find(|(key, _)| key.trim() == name)?;
            Some(value.trim())
        };
        let mut root = field("Root")?.split('-');
        let (Some("1"), Some(time), Some(rest), None) =
            (root.next(), root.next(), root.next(), root.next())
        else {
            return None;
        };
        if !is_hex(time, 8) || !is_hex(rest, 24) {
            return None;
        }
        // If no segment has begun, there is no parent. The end of the id is used instead.
        let parent = field("Parent").unwrap_or(&rest[8..]);
        let flags = if field("Sampled") == Some("1") {
            "01"
        } else {
            "00"
        };
        Trace::of(&format!("{time}{rest}"), parent, flags)
    }

    fn of(trace: &str, parent: &str, flags: &str) -> Option<Trace> {
        let is_id = |id: &str, digits| is_hex(id, digits) && id.bytes().any(|digit| digit != b'0');
        (is_id(trace, 32) && is_id(parent, 16))
            .then(|| Trace(format!("00-{trace}-{parent}-{flags}")))
    }

    /// The 32 digits that the whole trace shares.
    pub fn id(&self) -> &str {
        &self.0[3..35]
    }

    /// The trace in W3C format.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Trace> for String {
    fn from(trace: Trace) -> String {
        trace.0
    }
}

/// Accepts only lower-case digits, because both formats use only those.
fn is_hex(text: &str, digits: usize) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == digits && text.bytes().all(is_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const W3C: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_valid_traceparent_is_kept_and_an_invalid_one_is_not() {
        let trace = Trace::parse(W3C).unwrap();
        assert_eq!(trace.as_str(), W3C);
        assert_eq!(trace.id(), "0af7651916cd43dd8448eb211c80319c");
        // A version to come may say more, and what it says first is known.
        let later = format!("cc{}-more", &W3C[2..]);
        assert_eq!(Trace::parse(&later), Some(trace));
        for wrong in [
            String::new(),
            W3C.to_uppercase(),
            format!("{W3C}-more"),
            format!("ff{}", &W3C[2..]),
            W3C.replace("b7ad6b7169203331", "0000000000000000"),
            W3C.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            W3C.replace('-', "_"),
            W3C[..54].to_owned(),
            W3C.replace("0af", "0aé"),
        ] {
            assert_eq!(Trace::parse(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_x_ray_header_gives_the_same_trace() {
        let root = "Root=1-0af76519-16cd43dd8448eb211c80319c";
        let whole = format!("{root};Parent=b7ad6b7169203331;Sampled=1;Lineage=1:2:3");
        assert_eq!(Trace::from_xray(&whole).unwrap().as_str(), W3C);
        let bare = Trace::from_xray(root).unwrap();
        assert_eq!(
            bare.as_str(),
            "00-0af7651916cd43dd8448eb211c80319c-8448eb211c80319c-00"
        );
        for wrong in [
            "",
            "Root=",
            "Root=2-0af76519-16cd43dd8448eb211c80319c",
            "Parent=1",
            W3C,
        ] {
            assert_eq!(Trace::from_xray(wrong), None, "{wrong}");
        }
    }
}
