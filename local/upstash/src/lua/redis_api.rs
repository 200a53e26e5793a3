//! The `redis` table: commands inside a script, and small helpers.

use std::cell::RefCell;
use std::rc::Rc;

use mlua::{Function, Lua, MultiValue, Table, Value};

use super::{Running, convert};
use crate::errors::CommandError;
use crate::executor::{State, check};
use crate::number::format_g;
use crate::registry::{self, Kind};
use crate::reply::{Outcome, Reply};

/// Implements `redis.call` and `redis.pcall`. An error is a table with `err`.
pub fn dispatch(
    lua: &Lua,
    state: Rc<RefCell<State>>,
    running: Running,
) -> Result<Function, mlua::Error> {
    lua.create_function(move |lua, args: MultiValue| {
        let reply: Reply = arguments(&args)
            .and_then(|args| call(&mut state.borrow_mut(), &running, &args))
            .into();
        convert::to_lua(lua, &reply)
    })
}

/// Accepts strings unchanged and numbers with 17 digits; everything else is an error.
fn arguments(values: &MultiValue) -> Result<Vec<Vec<u8>>, CommandError> {
    if values.is_empty() {
        return Err(CommandError::fixed(
            "ERR Please specify at least one argument for this redis.call()/redis.pcall() call",
        ));
    }
    values
        .iter()
        .map(|value| match value {
            Value::String(text) => Ok(text.as_bytes().to_vec()),
            Value::Integer(value) => Ok(format_g(*value as f64, 17).into_bytes()),
            Value::Number(value) => Ok(format_g(*value, 17).into_bytes()),
            _ => Err(CommandError::fixed(
                "ERR Lua redis lib command arguments must be strings or integers",
            )),
        })
        .collect()
}

fn call(state: &mut State, running: &Running, args: &[Vec<u8>]) -> Outcome {
    let running = running.borrow();
    let run = running.as_ref().ok_or(CommandError::fixed(
        "ERR redis.call can only be called while a script runs",
    ))?;
    let (index, spec) = check(args, &state.limits).map_err(worded_for_scripts)?;
    if spec.kind == Kind::Script {
        return Err(CommandError::fixed(
            "ERR This Redis command is not allowed from script",
        ));
    }
    if spec.kind == Kind::Write && run.read_only {
        return Err(CommandError::fixed(
            "ERR Write commands are not allowed from read-only scripts.",
        ));
    }
    if let Some(declared) = &run.declared {
        let keys = registry::keys_of(spec, args);
        if let Some(key) = keys.into_iter().find(|key| !declared.contains(*key)) {
            return Err(CommandError::new(format!(
                "ERR Dynamic keys are not allowed in Lua scripts when 'allow-key-locking' flag is set. Key was: {}",
                String::from_utf8_lossy(key)
            )));
        }
    }
    state.execute((index, spec), run.db, run.now_ms, args)
}

fn worded_for_scripts(error: CommandError) -> CommandError {
    match error.text() {
        text if text.starts_with("ERR unknown command") => {
            CommandError::fixed("ERR Unknown Redis command called from script")
        }
        text if text.starts_with("ERR wrong number of arguments") => {
            CommandError::fixed("ERR Wrong number of args calling Redis command from script")
        }
        text if text.starts_with("ERR Command is not available") => {
            CommandError::fixed("ERR This Redis command is not allowed from script")
        }
        _ => error,
    }
}

/// The helpers that need Rust. The prelude adds the others.
pub fn table(lua: &Lua) -> Result<Table, mlua::Error> {
    let table = lua.create_table()?;
    table.set(
        "sha1hex",
        lua.create_function(|_, text: mlua::LuaString| {
            Ok(sha1_smol::Sha1::from(&*text.as_bytes())
                .digest()
                .to_string())
        })?,
    )?;
    table.set(
        "log",
        lua.create_function(
            |_, (level, words): (i64, mlua::Variadic<mlua::LuaString>)| {
                let words: Vec<String> = words.iter().map(|word| word.to_string_lossy()).collect();
                tracing::info!(level, text = words.join(" "), "script");
                Ok(())
            },
        )?,
    )?;
    for (name, level) in [
        ("LOG_DEBUG", 0),
        ("LOG_VERBOSE", 1),
        ("LOG_NOTICE", 2),
        ("LOG_WARNING", 3),
    ] {
        table.set(name, level)?;
    }
    for (name, flag) in [
        ("REPL_NONE", 0),
        ("REPL_AOF", 1),
        ("REPL_SLAVE", 2),
        ("REPL_REPLICA", 2),
        ("REPL_ALL", 3),
    ] {
        table.set(name, flag)?;
    }
    table.set("REDIS_VERSION", "7.0.15")?;
    table.set("REDIS_VERSION_NUM", 0x0007_000f)?;
    table.set(
        "replicate_commands",
        lua.create_function(|_, _: MultiValue| Ok(true))?,
    )?;
    table.set(
        "acl_check_cmd",
        lua.create_function(|_, _: MultiValue| Ok(true))?,
    )?;
    table.set(
        "breakpoint",
        lua.create_function(|_, _: MultiValue| Ok(false))?,
    )?;
    for name in ["set_repl", "debug"] {
        table.set(name, lua.create_function(|_, _: MultiValue| Ok(()))?)?;
    }
    table.set(
        "setresp",
        lua.create_function(|_, version: i64| match version {
            2 | 3 => Ok(()),
            _ => Err(mlua::Error::runtime("RESP version must be 2 or 3.")),
        })?,
    )?;
    Ok(table)
}
