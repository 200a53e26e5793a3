//! Converts between Lua values and replies by Redis's rules.

use mlua::{Lua, Table, Value};

use crate::reply::Reply;

/// Deeper replies are cut off, as in Redis.
const MAX_DEPTH: usize = 1000;

pub fn string_list(lua: &Lua, items: &[Vec<u8>]) -> Result<Table, mlua::Error> {
    let table = lua.create_table_with_capacity(items.len(), 0)?;
    for (index, item) in items.iter().enumerate() {
        table.raw_set(index + 1, lua.create_string(item)?)?;
    }
    Ok(table)
}

/// Converts a reply for a script: nil becomes false, and a status becomes a table with
/// `ok`.
pub fn to_lua(lua: &Lua, reply: &Reply) -> Result<Value, mlua::Error> {
    let named = |name: &str, text: &[u8]| {
        let table = lua.create_table_with_capacity(0, 1)?;
        table.raw_set(name, lua.create_string(text)?)?;
        Ok(Value::Table(table))
    };
    match reply {
        Reply::Nil | Reply::NilArray => Ok(Value::Boolean(false)),
        Reply::Int(value) => Ok(Value::Number(*value as f64)),
        Reply::Bulk(value) => Ok(Value::String(lua.create_string(value)?)),
        Reply::Status(text) => named("ok", text.as_bytes()),
        Reply::StatusText(text) => named("ok", text),
        Reply::Error(text) => named("err", text.as_bytes()),
        Reply::Array(items) => {
            let table = lua.create_table_with_capacity(items.len(), 0)?;
            for (index, item) in items.iter().enumerate() {
                table.raw_set(index + 1, to_lua(lua, item)?)?;
            }
            Ok(Value::Table(table))
        }
    }
}

/// Converts a script's result to a reply: numbers lose their fraction, false and nil
/// become nil, and an array ends at its first nil.
pub fn to_reply(value: &Value) -> Result<Reply, mlua::Error> {
    reply_at(value, 0)
}

fn reply_at(value: &Value, depth: usize) -> Result<Reply, mlua::Error> {
    if depth > MAX_DEPTH {
        return Ok(Reply::Error("ERR reached lua stack limit".into()));
    }
    Ok(match value {
        Value::Integer(value) => Reply::Int(*value),
        Value::Number(value) => Reply::Int(truncate(*value)),
        Value::String(text) => Reply::Bulk(text.as_bytes().to_vec()),
        Value::Boolean(true) => Reply::Int(1),
        Value::Table(table) => table_reply(table, depth)?,
        _ => Reply::Nil,
    })
}

fn table_reply(table: &Table, depth: usize) -> Result<Reply, mlua::Error> {
    if let Value::String(text) = table.raw_get::<Value>("err")? {
        return Ok(Reply::Error(text.to_string_lossy()));
    }
    if let Value::String(text) = table.raw_get::<Value>("ok")? {
        return Ok(Reply::StatusText(text.as_bytes().to_vec()));
    }
    let mut items = Vec::new();
    for index in 1.. {
        match table.raw_get::<Value>(index)? {
            Value::Nil => break,
            item => items.push(reply_at(&item, depth + 1)?),
        }
    }
    Ok(Reply::Array(items))
}

/// A C cast: truncates toward zero; values out of range become the smallest integer.
fn truncate(value: f64) -> i64 {
    let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value);
    if fits { value as i64 } else { i64::MIN }
}

/// The text of an error raised by a script.
pub fn error_text(value: &Value) -> Result<String, mlua::Error> {
    Ok(match value {
        Value::Table(table) => match table.raw_get::<Value>("err")? {
            Value::String(text) => text.to_string_lossy(),
            _ => "ERR unknown error".into(),
        },
        Value::String(text) => format!("ERR {}", text.to_string_lossy()),
        Value::Error(error) => lua_error_text(error),
        Value::Nil => "ERR nil".into(),
        other => format!("ERR {}", other.to_string().unwrap_or_default()),
    })
}

/// The text of an error raised by Lua itself or one of the libraries.
pub fn lua_error_text(error: &mlua::Error) -> String {
    match error {
        mlua::Error::CallbackError { cause, .. } => lua_error_text(cause),
        mlua::Error::RuntimeError(text) | mlua::Error::MemoryError(text) => {
            let first = text.split("\nstack traceback:").next().unwrap_or(text);
            format!("ERR {first}")
        }
        mlua::Error::SyntaxError { message, .. } => message.clone(),
        other => format!("ERR {other}"),
    }
}
