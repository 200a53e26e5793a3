//! Conditional writes that the hosted service supports and most servers do not. Each is
//! sent as a script and billed as a single command.

use crate::commands::Args;
use crate::commands::arguments::Options;
use crate::engine::Command;
use crate::errors::CommandError;

const SET_IF: &str = include_str!("set_if.lua");
const DELETE_IF: &str = include_str!("delete_if.lua");

/// Turns `SET … IFEQ value` and `IFNE value` into a script. Returns `None` for any other
/// form, including invalid ones, which the server itself rejects.
pub fn set(args: Args<'_>) -> Option<Command> {
    let mut options = Options::new(args, 3);
    let mut condition = None;
    let mut wants_old = false;
    let mut rest = vec![args[2].clone()];
    while let Some(word) = options.word() {
        match word.as_str() {
            "IFEQ" | "IFNE" if condition.is_none() => {
                condition = Some((word, options.value().ok()?.clone()));
                continue;
            }
            "GET" => wants_old = true,
            "KEEPTTL" => {}
            "EX" | "PX" | "EXAT" | "PXAT" => {
                rest.push(word.into_bytes());
                rest.push(options.value().ok()?.clone());
                continue;
            }
            _ => return None,
        }
        rest.push(word.into_bytes());
    }
    let (word, value) = condition?;
    let wanted = if wants_old { "GET" } else { "" };
    let mut words = script(SET_IF, &args[1], &word, &value);
    words.push(wanted.into());
    words.extend(rest);
    Some(words)
}

/// Translates DELEX for servers that do not have it.
///
/// # Errors
///
/// The same errors as in the embedded engine.
pub fn delex(args: Args<'_>) -> Result<Command, CommandError> {
    match &args[2..] {
        [] => Ok(vec![b"DEL".to_vec(), args[1].clone()]),
        [word, value] => match String::from_utf8_lossy(word).to_ascii_uppercase().as_str() {
            word @ ("IFEQ" | "IFNE") => Ok(script(DELETE_IF, &args[1], word, value)),
            _ => Err(CommandError::SYNTAX),
        },
        _ => Err(CommandError::arity("delex")),
    }
}

fn script(text: &str, key: &[u8], condition: &str, value: &[u8]) -> Command {
    let words: [&[u8]; 6] = [
        b"EVAL",
        text.as_bytes(),
        b"1",
        key,
        condition.as_bytes(),
        value,
    ];
    words.map(<[u8]>::to_vec).to_vec()
}
