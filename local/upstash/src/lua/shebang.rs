//! The first line of a script: `#!lua flags=…`.

use crate::errors::CommandError;

/// What a script declares about itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags {
    pub no_writes: bool,
    /// `allow-key-locking`: the script may use only the keys in KEYS.
    pub locks_keys: bool,
}

/// Parses the line and returns the script without it, with unchanged line numbers.
///
/// # Errors
///
/// If the engine is not `lua`, or a flag or option is unknown.
pub fn split(source: &[u8]) -> Result<(Flags, Vec<u8>), CommandError> {
    let mut flags = Flags::default();
    if !source.starts_with(b"#!") {
        return Ok((flags, source.to_vec()));
    }
    let end = source.iter().position(|byte| *byte == b'\n');
    let end = end.ok_or(CommandError::fixed("ERR Invalid script shebang"))?;
    let line = String::from_utf8_lossy(&source[2..end]).into_owned();
    let mut words = line.split_whitespace();
    let engine = words.next().unwrap_or_default();
    if !engine.eq_ignore_ascii_case("lua") {
        return Err(CommandError::new(format!(
            "ERR Unexpected engine in script shebang: {engine}"
        )));
    }
    for word in words {
        let Some(names) = word.strip_prefix("flags=") else {
            return Err(CommandError::new(format!(
                "ERR Unknown lua shebang option: {word}"
            )));
        };
        for name in names.split(',').filter(|name| !name.is_empty()) {
            match name {
                "no-writes" => flags.no_writes = true,
                "allow-key-locking" => flags.locks_keys = true,
                "allow-oom" | "allow-stale" | "no-cluster" | "allow-cross-slot-keys" => {}
                other => {
                    return Err(CommandError::new(format!(
                        "ERR Unexpected flag in script shebang: {other}"
                    )));
                }
            }
        }
    }
    Ok((flags, source[end..].to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_cut_and_the_numbering_kept() {
        let (flags, body) = split(b"#!lua flags=allow-key-locking\nreturn 1").unwrap();
        assert!(flags.locks_keys && !flags.no_writes);
        assert_eq!(body, b"\nreturn 1");
        assert!(split(b"#!lua flags=bogus\nreturn 1").is_err());
        assert!(split(b"#!js\nreturn 1").is_err());
    }
}
