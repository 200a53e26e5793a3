//! Server commands such as PING, TIME and INFO.

use super::{Args, Context};
use crate::errors::CommandError;
use crate::reply::{Outcome, Reply};

pub fn ping(_: &mut Context<'_>, args: Args<'_>) -> Outcome {
    match &args[1..] {
        [] => Ok(Reply::Status("PONG")),
        [text] => Ok(Reply::bulk(text.clone())),
        _ => Err(CommandError::arity("ping")),
    }
}

pub fn echo(_: &mut Context<'_>, args: Args<'_>) -> Outcome {
    Ok(Reply::bulk(args[1].clone()))
}

pub fn time(context: &mut Context<'_>, _: Args<'_>) -> Outcome {
    let (seconds, ms) = (
        context.now_ms.div_euclid(1000),
        context.now_ms.rem_euclid(1000),
    );
    Ok(Reply::bulks([seconds.to_string(), (ms * 1000).to_string()]))
}

/// Returns 0: over REST there are no subscribers.
pub fn publish(_: &mut Context<'_>, _: Args<'_>) -> Outcome {
    Ok(Reply::Int(0))
}

/// Returns an empty list, as the hosted service does.
pub fn command(_: &mut Context<'_>, _: Args<'_>) -> Outcome {
    Ok(Reply::Array(Vec::new()))
}

/// Placeholder in the registry for commands that the engine runs itself.
pub fn unreachable(_: &mut Context<'_>, args: Args<'_>) -> Outcome {
    Err(CommandError::unknown_command(&args[0], &args[1..]))
}

const SECTIONS: [&str; 6] = [
    "server",
    "clients",
    "memory",
    "stats",
    "keyspace",
    "commandstats",
];

/// Returns this endpoint's own sections. Without an argument, all except `commandstats`,
/// as in Redis.
pub fn info(context: &mut Context<'_>, args: Args<'_>) -> Outcome {
    let wanted: Vec<String> = args[1..]
        .iter()
        .map(|section| String::from_utf8_lossy(section).to_ascii_lowercase())
        .collect();
    let all = wanted
        .iter()
        .any(|section| section == "all" || section == "everything");
    let default = wanted.is_empty() || wanted.iter().any(|section| section == "default");
    let mut text = String::new();
    for section in SECTIONS {
        let named = wanted.iter().any(|wanted| wanted == section);
        if named || all || (default && section != "commandstats") {
            if !text.is_empty() {
                text.push_str("\r\n");
            }
            text.push_str(&section_text(context, section));
        }
    }
    Ok(Reply::bulk(text))
}

fn section_text(context: &Context<'_>, section: &str) -> String {
    let lines = match section {
        "server" => vec![
            "redis_version:7.0.15".to_owned(),
            format!("upstash_local_version:{}", env!("CARGO_PKG_VERSION")),
            "redis_mode:standalone".to_owned(),
            "maxmemory_policy:noeviction".to_owned(),
        ],
        "clients" => vec![
            "connected_clients:1".to_owned(),
            "blocked_clients:0".to_owned(),
        ],
        "memory" => vec![
            "maxmemory:0".to_owned(),
            "maxmemory_policy:noeviction".to_owned(),
        ],
        "stats" => vec![format!(
            "total_commands_processed:{}",
            context.meter.total()
        )],
        "keyspace" if context.db.is_empty() => Vec::new(),
        "keyspace" => vec![format!(
            "db0:keys={},expires={},avg_ttl=0",
            context.db.len(),
            context.db.n_expiring()
        )],
        _ => context
            .meter
            .snapshot()
            .commands
            .iter()
            .map(|(name, calls)| format!("cmdstat_{name}:calls={calls}"))
            .collect(),
    };
    let (first, rest) = section.split_at(1);
    let mut text = format!("# {}{rest}\r\n", first.to_ascii_uppercase());
    for line in lines {
        text.push_str(&line);
        text.push_str("\r\n");
    }
    text
}
