//! All commands, each with its name, arity, kind, key positions and function.
//!
//! The arity includes the name. A negative arity is a minimum, as in Redis.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::commands::arguments::is;
use crate::commands::{
    Args, Context, expiry, hashes, keys, lists, server, sets, sorted_set_algebra,
    sorted_set_ranges, sorted_sets, stream_groups, stream_info, stream_pending, streams, strings,
};
use crate::errors::CommandError;
use crate::number::parse_i64;
use crate::reply::Outcome;

/// What a command may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Read,
    Write,
    /// Runs a script. The engine handles it, and scripts may not call it.
    Script,
}

/// Where a command's keys are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    None,
    /// The first argument.
    One,
    /// The first two arguments.
    Two,
    /// Every argument.
    All,
    /// Every other argument.
    EverySecond,
    /// After a count at this index.
    Counted(usize),
    /// The first argument, and more keys after a count in second place.
    DestinationAndCounted,
    /// The first half of the arguments after STREAMS.
    Streams,
    /// The argument after a subcommand.
    AfterSubcommand,
}

type Run = fn(&mut Context<'_>, Args<'_>) -> Outcome;

pub struct Spec {
    pub name: &'static str,
    pub arity: i32,
    pub kind: Kind,
    pub keys: Keys,
    pub run: Run,
}

const fn command(name: &'static str, arity: i32, kind: Kind, keys: Keys, run: Run) -> Spec {
    Spec {
        name,
        arity,
        kind,
        keys,
        run,
    }
}

use Keys::{
    AfterSubcommand, All, Counted, DestinationAndCounted, EverySecond, None as NoKey, One, Streams,
    Two,
};
use Kind::{Read, Script, Write};

#[rustfmt::skip]
pub static COMMANDS: &[Spec] = &[
    // strings
    command("get", 2, Read, One, strings::get),
    command("set", -3, Write, One, strings::set),
    command("setnx", 3, Write, One, strings::setnx),
    command("setex", 4, Write, One, strings::setex),
    command("psetex", 4, Write, One, strings::psetex),
    command("getset", 3, Write, One, strings::getset),
    command("getdel", 2, Write, One, strings::getdel),
    command("getex", -2, Write, One, strings::getex),
    command("delex", -2, Write, One, strings::delex),
    command("mget", -2, Read, All, strings::mget),
    command("mset", -3, Write, EverySecond, strings::mset),
    command("msetnx", -3, Write, EverySecond, strings::msetnx),
    command("incr", 2, Write, One, strings::incr),
    command("decr", 2, Write, One, strings::decr),
    command("incrby", 3, Write, One, strings::incrby),
    command("decrby", 3, Write, One, strings::decrby),
    command("incrbyfloat", 3, Write, One, strings::incrbyfloat),
    command("append", 3, Write, One, strings::append),
    command("strlen", 2, Read, One, strings::strlen),
    command("getrange", 4, Read, One, strings::getrange),
    command("substr", 4, Read, One, strings::getrange),
    command("setrange", 4, Write, One, strings::setrange),
    // keys
    command("del", -2, Write, All, keys::del),
    command("unlink", -2, Write, All, keys::del),
    command("exists", -2, Read, All, keys::exists),
    command("touch", -2, Read, All, keys::exists),
    command("type", 2, Read, One, keys::type_of),
    command("keys", 2, Read, NoKey, keys::keys),
    command("scan", -2, Read, NoKey, crate::commands::scan::scan),
    command("randomkey", 1, Read, NoKey, keys::randomkey),
    command("rename", 3, Write, Two, keys::rename),
    command("renamenx", 3, Write, Two, keys::renamenx),
    command("copy", -3, Write, Two, keys::copy),
    command("dbsize", 1, Read, NoKey, keys::dbsize),
    command("flushdb", -1, Write, NoKey, keys::flush),
    command("flushall", -1, Write, NoKey, keys::flush),
    command("expire", -3, Write, One, expiry::expire),
    command("pexpire", -3, Write, One, expiry::pexpire),
    command("expireat", -3, Write, One, expiry::expireat),
    command("pexpireat", -3, Write, One, expiry::pexpireat),
    command("persist", 2, Write, One, expiry::persist),
    command("ttl", 2, Read, One, expiry::ttl),
    command("pttl", 2, Read, One, expiry::pttl),
    command("expiretime", 2, Read, One, expiry::expiretime),
    command("pexpiretime", 2, Read, One, expiry::pexpiretime),
    // hashes
    command("hset", -4, Write, One, hashes::hset),
    command("hmset", -4, Write, One, hashes::hmset),
    command("hsetnx", 4, Write, One, hashes::hsetnx),
    command("hget", 3, Read, One, hashes::hget),
    command("hmget", -3, Read, One, hashes::hmget),
    command("hgetall", 2, Read, One, hashes::hgetall),
    command("hkeys", 2, Read, One, hashes::hkeys),
    command("hvals", 2, Read, One, hashes::hvals),
    command("hdel", -3, Write, One, hashes::hdel),
    command("hlen", 2, Read, One, hashes::hlen),
    command("hexists", 3, Read, One, hashes::hexists),
    command("hstrlen", 3, Read, One, hashes::hstrlen),
    command("hincrby", 4, Write, One, hashes::hincrby),
    command("hincrbyfloat", 4, Write, One, hashes::hincrbyfloat),
    command("hrandfield", -2, Read, One, hashes::hrandfield),
    command("hscan", -3, Read, One, hashes::hscan),
    // sets
    command("sadd", -3, Write, One, sets::sadd),
    command("srem", -3, Write, One, sets::srem),
    command("scard", 2, Read, One, sets::scard),
    command("sismember", 3, Read, One, sets::sismember),
    command("smismember", -3, Read, One, sets::smismember),
    command("smembers", 2, Read, One, sets::smembers),
    command("smove", 4, Write, Two, sets::smove),
    command("spop", -2, Write, One, sets::spop),
    command("srandmember", -2, Read, One, sets::srandmember),
    command("sinter", -2, Read, All, sets::sinter),
    command("sunion", -2, Read, All, sets::sunion),
    command("sdiff", -2, Read, All, sets::sdiff),
    command("sinterstore", -3, Write, All, sets::sinterstore),
    command("sunionstore", -3, Write, All, sets::sunionstore),
    command("sdiffstore", -3, Write, All, sets::sdiffstore),
    command("sintercard", -3, Read, Counted(1), sets::sintercard),
    command("sscan", -3, Read, One, sets::sscan),
    // lists
    command("lpush", -3, Write, One, lists::lpush),
    command("rpush", -3, Write, One, lists::rpush),
    command("lpushx", -3, Write, One, lists::lpushx),
    command("rpushx", -3, Write, One, lists::rpushx),
    command("lpop", -2, Write, One, lists::lpop),
    command("rpop", -2, Write, One, lists::rpop),
    command("lmpop", -4, Write, Counted(1), lists::lmpop),
    command("llen", 2, Read, One, lists::llen),
    command("lindex", 3, Read, One, lists::lindex),
    command("lrange", 4, Read, One, lists::lrange),
    command("lset", 4, Write, One, lists::lset),
    command("linsert", 5, Write, One, lists::linsert),
    command("lrem", 4, Write, One, lists::lrem),
    command("ltrim", 4, Write, One, lists::ltrim),
    command("lpos", -3, Read, One, lists::lpos),
    command("lmove", 5, Write, Two, lists::lmove),
    command("rpoplpush", 3, Write, Two, lists::rpoplpush),
    // sorted sets
    command("zadd", -4, Write, One, sorted_sets::zadd),
    command("zincrby", 4, Write, One, sorted_sets::zincrby),
    command("zscore", 3, Read, One, sorted_sets::zscore),
    command("zmscore", -3, Read, One, sorted_sets::zmscore),
    command("zcard", 2, Read, One, sorted_sets::zcard),
    command("zrem", -3, Write, One, sorted_sets::zrem),
    command("zrank", -3, Read, One, sorted_sets::zrank),
    command("zrevrank", -3, Read, One, sorted_sets::zrevrank),
    command("zpopmin", -2, Write, One, sorted_sets::zpopmin),
    command("zpopmax", -2, Write, One, sorted_sets::zpopmax),
    command("zmpop", -4, Write, Counted(1), sorted_sets::zmpop),
    command("zrandmember", -2, Read, One, sorted_sets::zrandmember),
    command("zscan", -3, Read, One, sorted_sets::zscan),
    command("zremrangebyrank", 4, Write, One, sorted_sets::zremrangebyrank),
    command("zrange", -4, Read, One, sorted_set_ranges::zrange),
    command("zrevrange", -4, Read, One, sorted_set_ranges::zrevrange),
    command("zrangebyscore", -4, Read, One, sorted_set_ranges::zrangebyscore),
    command("zrevrangebyscore", -4, Read, One, sorted_set_ranges::zrevrangebyscore),
    command("zrangebylex", -4, Read, One, sorted_set_ranges::zrangebylex),
    command("zrevrangebylex", -4, Read, One, sorted_set_ranges::zrevrangebylex),
    command("zrangestore", -5, Write, Two, sorted_set_ranges::zrangestore),
    command("zcount", 4, Read, One, sorted_set_ranges::zcount),
    command("zlexcount", 4, Read, One, sorted_set_ranges::zlexcount),
    command("zremrangebyscore", 4, Write, One, sorted_set_ranges::zremrangebyscore),
    command("zremrangebylex", 4, Write, One, sorted_set_ranges::zremrangebylex),
    command("zunion", -3, Read, Counted(1), sorted_set_algebra::zunion),
    command("zinter", -3, Read, Counted(1), sorted_set_algebra::zinter),
    command("zdiff", -3, Read, Counted(1), sorted_set_algebra::zdiff),
    command("zintercard", -3, Read, Counted(1), sorted_set_algebra::zintercard),
    command("zunionstore", -4, Write, DestinationAndCounted, sorted_set_algebra::zunionstore),
    command("zinterstore", -4, Write, DestinationAndCounted, sorted_set_algebra::zinterstore),
    command("zdiffstore", -4, Write, DestinationAndCounted, sorted_set_algebra::zdiffstore),
    // streams
    command("xadd", -5, Write, One, streams::xadd),
    command("xlen", 2, Read, One, streams::xlen),
    command("xrange", -4, Read, One, streams::xrange),
    command("xrevrange", -4, Read, One, streams::xrevrange),
    command("xread", -4, Read, Streams, streams::xread),
    command("xdel", -3, Write, One, streams::xdel),
    command("xtrim", -4, Write, One, streams::xtrim),
    command("xsetid", -3, Write, One, streams::xsetid),
    command("xgroup", -2, Write, AfterSubcommand, stream_groups::xgroup),
    command("xreadgroup", -7, Write, Streams, stream_groups::xreadgroup),
    command("xinfo", -2, Read, AfterSubcommand, stream_info::xinfo),
    command("xack", -4, Write, One, stream_pending::xack),
    command("xpending", -3, Read, One, stream_pending::xpending),
    command("xclaim", -6, Write, One, stream_pending::xclaim),
    command("xautoclaim", -6, Write, One, stream_pending::xautoclaim),
    // scripting
    command("eval", -3, Script, Counted(2), server::unreachable),
    command("evalsha", -3, Script, Counted(2), server::unreachable),
    command("eval_ro", -3, Script, Counted(2), server::unreachable),
    command("evalsha_ro", -3, Script, Counted(2), server::unreachable),
    command("script", -2, Script, NoKey, server::unreachable),
    // server
    command("ping", -1, Read, NoKey, server::ping),
    command("echo", 2, Read, NoKey, server::echo),
    command("time", 1, Read, NoKey, server::time),
    command("info", -1, Read, NoKey, server::info),
    command("publish", 3, Read, NoKey, server::publish),
    command("command", -1, Read, NoKey, server::command),
];

/// Known commands that are not supported, with the explanation to return.
static REFUSED: &[(&str, &[&str])] = &[
    (
        "blocking commands are not available over REST",
        &[
            "blpop",
            "brpop",
            "brpoplpush",
            "blmove",
            "blmpop",
            "bzpopmin",
            "bzpopmax",
            "bzmpop",
            "wait",
            "waitaof",
        ],
    ),
    (
        "transactions are not available as commands: POST the commands to /multi-exec instead",
        &["multi", "exec", "discard", "watch", "unwatch"],
    ),
    (
        "each token has exactly one database, and there are no sessions",
        &[
            "select",
            "swapdb",
            "move",
            "auth",
            "hello",
            "client",
            "quit",
            "reset",
            "readonly",
            "readwrite",
            "asking",
        ],
    ),
    (
        "subscriptions are not available over REST",
        &[
            "subscribe",
            "unsubscribe",
            "psubscribe",
            "punsubscribe",
            "ssubscribe",
            "sunsubscribe",
            "monitor",
        ],
    ),
    (
        "server administration commands are not available",
        &[
            "config",
            "shutdown",
            "debug",
            "save",
            "bgsave",
            "bgrewriteaof",
            "lastsave",
            "replicaof",
            "slaveof",
            "cluster",
            "failover",
            "sync",
            "psync",
            "replconf",
            "slowlog",
            "latency",
            "module",
            "role",
            "migrate",
            "restore-asking",
        ],
    ),
];

static BY_NAME: LazyLock<HashMap<&'static str, usize>> = LazyLock::new(|| {
    COMMANDS
        .iter()
        .enumerate()
        .map(|(index, spec)| (spec.name, index))
        .collect()
});

/// Finds a command by name and checks the number of its arguments.
///
/// # Errors
///
/// If the command is empty, unknown or refused, or the number of arguments is wrong.
/// Nothing has run.
pub fn find(args: Args<'_>) -> Result<(usize, &'static Spec), CommandError> {
    let name = args
        .first()
        .ok_or(CommandError::fixed("ERR empty command"))?;
    let lower = String::from_utf8_lossy(name).to_ascii_lowercase();
    let Some(index) = BY_NAME.get(lower.as_str()) else {
        return Err(
            refusal(&lower).unwrap_or_else(|| CommandError::unknown_command(name, &args[1..]))
        );
    };
    let spec = &COMMANDS[*index];
    let n = args.len();
    let least = spec.arity.unsigned_abs() as usize;
    if n < least || (spec.arity > 0 && n != least) {
        return Err(CommandError::arity(spec.name));
    }
    Ok((*index, spec))
}

/// The registry index of a command, given in lower case.
pub fn index_of(name: &str) -> Option<usize> {
    BY_NAME.get(name).copied()
}

fn refusal(name: &str) -> Option<CommandError> {
    let (reason, _) = REFUSED.iter().find(|(_, names)| names.contains(&name))?;
    let name = name.to_ascii_uppercase();
    Some(CommandError::new(format!(
        "ERR Command is not available: '{name}': {reason}"
    )))
}

/// The keys of a command, for the key length limit and for key locking.
///
/// `args` must have passed [`find`].
pub fn keys_of<'a>(spec: &Spec, args: Args<'a>) -> Vec<&'a Vec<u8>> {
    let places = places_of(spec, args).into_iter();
    places.filter_map(|place| args.get(place)).collect()
}

/// The positions of the keys among a command's words. An unknown command has none.
pub fn key_places(args: Args<'_>) -> Vec<usize> {
    find(args).map_or(Vec::new(), |(_, spec)| places_of(spec, args))
}

fn places_of(spec: &Spec, args: Args<'_>) -> Vec<usize> {
    let end = args.len();
    let counted = |at: usize| {
        let n = args.get(at).and_then(|n| parse_i64(n)).unwrap_or(0);
        let n = usize::try_from(n).unwrap_or(0);
        (at + 1).min(end)..(at + 1).saturating_add(n).min(end)
    };
    match spec.keys {
        Keys::None => Vec::new(),
        Keys::One => vec![1],
        Keys::Two => vec![1, 2],
        Keys::All => (1..end).collect(),
        Keys::EverySecond => (1..end).step_by(2).collect(),
        Keys::Counted(at) => counted(at).collect(),
        Keys::DestinationAndCounted => std::iter::once(1).chain(counted(2)).collect(),
        Keys::AfterSubcommand if end > 2 => vec![2],
        Keys::AfterSubcommand => Vec::new(),
        Keys::Streams => {
            let from = args.iter().position(|arg| is(arg, "STREAMS"));
            let from = from.unwrap_or(end);
            let n = end.saturating_sub(from + 1) / 2;
            (from + 1..from + 1 + n).collect()
        }
    }
}
