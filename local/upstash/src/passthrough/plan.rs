//! Decides what is sent to the server for a request and what is answered here.
//!
//! A token sees one database and has no session. Anything that would reach beyond them is
//! changed or refused before it is sent, as in the embedded engine.

use super::conditions;
use super::scripts::{Digests, Named};
use crate::commands::Args;
use crate::commands::arguments::is;
use crate::engine::Command;
use crate::errors::CommandError;
use crate::executor::check;
use crate::limits::Limits;
use crate::number::parse_i64;
use crate::registry::{Kind, Spec};
use crate::reply::{Outcome, Reply};

/// One command of a request.
pub enum Step {
    /// Refused before it could run; not billed.
    Refused(CommandError),
    /// Answered without the server; billed under this registry index.
    Here(usize, Outcome),
    Send(Sent),
}

/// A command to send to the server.
pub struct Sent {
    /// Its registry index.
    pub index: usize,
    /// Whether it may be sent again if the reply was lost.
    pub repeatable: bool,
    pub words: Command,
    /// Whether it can call other commands, which are also billed.
    pub runs_script: bool,
    /// The script it refers to, with both digests if they differ.
    pub script: Option<Named>,
}

impl Sent {
    /// Translates the server's reply for the client.
    pub fn translate(&self, reply: Reply) -> Reply {
        let Some(named) = &self.script else {
            return reply;
        };
        match reply {
            Reply::Error(text) => Reply::Error(text.replace(&named.served, &named.sent)),
            // SCRIPT LOAD returns the digest.
            Reply::Bulk(text) if !self.runs_script && text == named.served.as_bytes() => {
                Reply::bulk(named.sent.as_bytes())
            }
            other => other,
        }
    }
}

/// Validates a command and adapts it for the server.
pub fn step(args: &Command, database: usize, limits: &Limits, digests: &Digests) -> Step {
    let (index, spec) = match check(args, limits) {
        Ok(found) => found,
        Err(error) => return Step::Refused(error),
    };
    match adapt(spec, args, database, digests) {
        Ok(Adapted::Answer(reply)) => Step::Here(index, Ok(reply)),
        Ok(Adapted::Words(words, script)) => Step::Send(Sent {
            index,
            // A message that is published again would reach its subscribers twice.
            repeatable: spec.kind == Kind::Read && spec.name != "publish",
            runs_script: spec.kind == Kind::Script && spec.name != "script",
            words,
            script,
        }),
        Err(error) => Step::Here(index, Err(error)),
    }
}

enum Adapted {
    Answer(Reply),
    Words(Command, Option<Named>),
}

fn adapt(
    spec: &Spec,
    args: Args<'_>,
    database: usize,
    digests: &Digests,
) -> Result<Adapted, CommandError> {
    let mut words = args.to_vec();
    match spec.name {
        // The other databases belong to other tokens.
        "flushall" => words[0] = b"FLUSHDB".to_vec(),
        "copy" => keep_to_database(&mut words, database)?,
        "xread" | "xreadgroup" if blocks(args) => return Err(CommandError::BLOCKING),
        "set" => words = conditions::set(args).unwrap_or(words),
        "delex" => words = conditions::delex(args)?,
        "command" => return Ok(Adapted::Answer(Reply::Array(Vec::new()))),
        "eval" | "eval_ro" => {
            let (source, named) = digests.load(&args[1])?;
            words[1] = source.into_owned();
            return Ok(Adapted::Words(words, Some(named)));
        }
        "evalsha" | "evalsha_ro" => {
            let named = digests.find(&args[1]);
            words[1] = named.served.clone().into_bytes();
            return Ok(Adapted::Words(words, Some(named)));
        }
        "script" => return script(words, digests),
        _ => {}
    }
    Ok(Adapted::Words(words, None))
}

fn script(mut words: Command, digests: &Digests) -> Result<Adapted, CommandError> {
    let subcommand = String::from_utf8_lossy(&words[1]).to_ascii_uppercase();
    match (subcommand.as_str(), words.len()) {
        ("LOAD", 3) => {
            let (source, named) = digests.load(&words[2])?;
            words[2] = source.into_owned();
            return Ok(Adapted::Words(words, Some(named)));
        }
        ("EXISTS", _) => {
            for digest in &mut words[2..] {
                *digest = digests.find(digest).served.into_bytes();
            }
        }
        ("FLUSH", _) => digests.clear(),
        ("KILL", 2) => {
            let text = "NOTBUSY No scripts in execution right now.";
            return Err(CommandError::fixed(text));
        }
        ("LOAD" | "KILL", _) => {}
        // DEBUG would change the shared connection.
        _ => {
            return Err(CommandError::new(format!(
                "ERR unknown subcommand '{}'. Try SCRIPT HELP.",
                String::from_utf8_lossy(&words[1])
            )));
        }
    }
    Ok(Adapted::Words(words, None))
}

/// `COPY … DB 0` refers to the token's own database. Other databases belong to other
/// tokens.
fn keep_to_database(words: &mut Command, database: usize) -> Result<(), CommandError> {
    for at in 3..words.len().saturating_sub(1) {
        if is(&words[at], "DB") {
            match parse_i64(&words[at + 1]) {
                Some(0) => words[at + 1] = database.to_string().into_bytes(),
                Some(_) => return Err(CommandError::fixed("ERR DB index is out of range")),
                None => {}
            }
        }
    }
    Ok(())
}

/// Whether XREAD or XREADGROUP has the BLOCK option, parsed as the server parses it.
fn blocks(args: Args<'_>) -> bool {
    let mut at = 1;
    while let Some(word) = args.get(at) {
        at += match word.to_ascii_uppercase().as_slice() {
            b"BLOCK" => return true,
            b"COUNT" => 2,
            b"GROUP" => 3,
            b"NOACK" => 1,
            _ => return false,
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(line: &str) -> Step {
        let args: Command = line
            .split(' ')
            .map(|word| word.as_bytes().to_vec())
            .collect();
        step(&args, 7, &Limits::default(), &Digests::default())
    }

    fn sent(line: &str) -> String {
        match planned(line) {
            Step::Send(sent) => String::from_utf8_lossy(&sent.words.join(&b' ')).into_owned(),
            _ => panic!("{line} is not sent"),
        }
    }

    #[test]
    fn nothing_reaches_another_database_or_the_session() {
        assert_eq!(sent("flushall async"), "FLUSHDB async");
        assert_eq!(sent("COPY a b REPLACE db 0"), "COPY a b REPLACE db 7");
        assert_eq!(sent("COPY DB DB"), "COPY DB DB");
        for line in [
            "SELECT 1",
            "MULTI",
            "HELLO 3",
            "CLIENT REPLY OFF",
            "QUIT",
            "SUBSCRIBE a",
        ] {
            assert!(matches!(planned(line), Step::Refused(_)), "{line}");
        }
        for line in [
            "DELEX a IFGT b",
            "COPY a b DB 1",
            "COPY a b DB -1",
            "SCRIPT DEBUG YES",
            "SCRIPT KILL",
        ] {
            assert!(matches!(planned(line), Step::Here(_, Err(_))), "{line}");
        }
    }

    #[test]
    fn a_read_never_blocks_the_shared_connection() {
        for line in [
            "XREAD BLOCK 0 STREAMS s $",
            "xread COUNT 1 block 0 STREAMS s $",
            "XREADGROUP GROUP g c NOACK BLOCK 1 STREAMS s >",
            "XREADGROUP COUNT 1 BLOCK 1 GROUP g c STREAMS s >",
        ] {
            assert!(matches!(planned(line), Step::Here(_, Err(_))), "{line}");
        }
        assert_eq!(sent("XREAD STREAMS BLOCK 0"), "XREAD STREAMS BLOCK 0");
    }
}
