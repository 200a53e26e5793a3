//! The `cjson` library with Redis's default settings.

use std::cell::RefCell;
use std::rc::Rc;

use mlua::{Function, Lua, MultiValue, Table, Value};

use super::json_reader::Reader;
use crate::number::format_g;

/// Settings of the `encode_*` and `decode_*` functions.
#[derive(Debug, Clone)]
pub struct Settings {
    sparse_convert: bool,
    sparse_ratio: i64,
    sparse_safe: i64,
    encode_depth: usize,
    pub decode_depth: usize,
    precision: usize,
    encode_invalid: bool,
    pub decode_invalid: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sparse_convert: false,
            sparse_ratio: 2,
            sparse_safe: 10,
            encode_depth: 1000,
            decode_depth: 1000,
            precision: 14,
            encode_invalid: false,
            decode_invalid: true,
        }
    }
}

type Shared = Rc<RefCell<Settings>>;

pub fn table(lua: &Lua) -> Result<Table, mlua::Error> {
    let shared: Shared = Rc::default();
    let table = lua.create_table()?;
    let settings = Rc::clone(&shared);
    table.set(
        "encode",
        lua.create_function(move |lua, value: Value| {
            let mut out = Vec::new();
            encode(&mut out, &value, &settings.borrow(), 0)?;
            lua.create_string(&out)
        })?,
    )?;
    let settings = Rc::clone(&shared);
    table.set(
        "decode",
        lua.create_function(move |lua, text: mlua::LuaString| {
            Reader::new(lua, &text.as_bytes(), settings.borrow().clone()).document()
        })?,
    )?;
    table.set("null", Value::NULL)?;
    table.set("_NAME", "cjson")?;
    table.set("_VERSION", "2.1.0")?;
    setters(lua, &table, &shared)?;
    Ok(table)
}

fn setters(lua: &Lua, table: &Table, shared: &Shared) -> Result<(), mlua::Error> {
    table.set(
        "encode_max_depth",
        depth(lua, shared, |settings| &mut settings.encode_depth)?,
    )?;
    table.set(
        "decode_max_depth",
        depth(lua, shared, |settings| &mut settings.decode_depth)?,
    )?;
    table.set(
        "encode_number_precision",
        depth(lua, shared, |settings| &mut settings.precision)?,
    )?;
    table.set(
        "encode_invalid_numbers",
        switch(lua, shared, |settings| &mut settings.encode_invalid)?,
    )?;
    table.set(
        "decode_invalid_numbers",
        switch(lua, shared, |settings| &mut settings.decode_invalid)?,
    )?;
    // Has no effect: there is no buffer to keep.
    table.set(
        "encode_keep_buffer",
        lua.create_function(|_, _: MultiValue| Ok(true))?,
    )?;
    let settings = Rc::clone(shared);
    let sparse =
        move |_: &Lua, (convert, ratio, safe): (Option<bool>, Option<i64>, Option<i64>)| {
            let mut settings = settings.borrow_mut();
            settings.sparse_convert = convert.unwrap_or(settings.sparse_convert);
            settings.sparse_ratio = ratio.unwrap_or(settings.sparse_ratio);
            settings.sparse_safe = safe.unwrap_or(settings.sparse_safe);
            Ok((
                settings.sparse_convert,
                settings.sparse_ratio,
                settings.sparse_safe,
            ))
        };
    table.set("encode_sparse_array", lua.create_function(sparse)?)
}

fn depth(
    lua: &Lua,
    shared: &Shared,
    field: fn(&mut Settings) -> &mut usize,
) -> Result<Function, mlua::Error> {
    let settings = Rc::clone(shared);
    lua.create_function(move |_, value: Option<usize>| {
        let mut settings = settings.borrow_mut();
        let field = field(&mut settings);
        if let Some(value) = value.filter(|value| (1..=4000).contains(value)) {
            *field = value;
        }
        Ok(*field)
    })
}

fn switch(
    lua: &Lua,
    shared: &Shared,
    field: fn(&mut Settings) -> &mut bool,
) -> Result<Function, mlua::Error> {
    let settings = Rc::clone(shared);
    lua.create_function(move |_, value: Option<Value>| {
        let mut settings = settings.borrow_mut();
        let field = field(&mut settings);
        if let Some(value) = value {
            *field = !matches!(value, Value::Nil | Value::Boolean(false));
        }
        Ok(*field)
    })
}

fn failure(text: impl Into<String>) -> mlua::Error {
    mlua::Error::runtime(text.into())
}

fn encode(
    out: &mut Vec<u8>,
    value: &Value,
    settings: &Settings,
    depth: usize,
) -> Result<(), mlua::Error> {
    match value {
        Value::Nil => out.extend_from_slice(b"null"),
        Value::LightUserData(pointer) if pointer.0.is_null() => out.extend_from_slice(b"null"),
        Value::Boolean(true) => out.extend_from_slice(b"true"),
        Value::Boolean(false) => out.extend_from_slice(b"false"),
        Value::Integer(number) => put_number(out, *number as f64, settings)?,
        Value::Number(number) => put_number(out, *number, settings)?,
        Value::String(text) => put_string(out, &text.as_bytes()),
        Value::Table(table) => {
            let depth = depth + 1;
            if depth > settings.encode_depth {
                return Err(failure(format!(
                    "Cannot serialise, excessive depth ({depth})"
                )));
            }
            match array_length(table, settings)? {
                Some(len) => put_array(out, table, len, settings, depth)?,
                None => put_object(out, table, settings, depth)?,
            }
        }
        other => {
            let kind = other.type_name();
            return Err(failure(format!(
                "Cannot serialise {kind}: type not supported"
            )));
        }
    }
    Ok(())
}

fn put_number(out: &mut Vec<u8>, number: f64, settings: &Settings) -> Result<(), mlua::Error> {
    if !number.is_finite() && !settings.encode_invalid {
        return Err(failure("Cannot serialise number: must not be NaN or Inf"));
    }
    out.extend_from_slice(format_g(number, settings.precision).as_bytes());
    Ok(())
}

/// The highest index if all keys are positive integers; `None` if they are not or there
/// are none.
fn array_length(table: &Table, settings: &Settings) -> Result<Option<i64>, mlua::Error> {
    let (mut highest, mut n_items) = (0i64, 0i64);
    for pair in table.pairs::<Value, Value>() {
        let index = match pair?.0 {
            Value::Integer(index) => index,
            Value::Number(index) if index.fract() == 0.0 => index as i64,
            _ => return Ok(None),
        };
        if index < 1 {
            return Ok(None);
        }
        highest = highest.max(index);
        n_items += 1;
    }
    let sparse = settings.sparse_ratio > 0
        && highest > n_items.saturating_mul(settings.sparse_ratio)
        && highest > settings.sparse_safe;
    match (sparse, settings.sparse_convert) {
        (true, false) => Err(failure("Cannot serialise table: excessively sparse array")),
        (true, true) => Ok(None),
        _ => Ok((highest > 0).then_some(highest)),
    }
}

fn put_array(
    out: &mut Vec<u8>,
    table: &Table,
    len: i64,
    settings: &Settings,
    depth: usize,
) -> Result<(), mlua::Error> {
    out.push(b'[');
    for index in 1..=len {
        if index > 1 {
            out.push(b',');
        }
        encode(out, &table.raw_get(index)?, settings, depth)?;
    }
    out.push(b']');
    Ok(())
}

fn put_object(
    out: &mut Vec<u8>,
    table: &Table,
    settings: &Settings,
    depth: usize,
) -> Result<(), mlua::Error> {
    out.push(b'{');
    let mut first = true;
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        if !first {
            out.push(b',');
        }
        first = false;
        match key {
            Value::String(name) => put_string(out, &name.as_bytes()),
            Value::Integer(_) | Value::Number(_) => {
                out.push(b'"');
                encode(out, &key, settings, depth)?;
                out.push(b'"');
            }
            _ => {
                return Err(failure(
                    "Cannot serialise table: table key must be a number or string",
                ));
            }
        }
        out.push(b':');
        encode(out, &value, settings, depth)?;
    }
    out.push(b'}');
    Ok(())
}

fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    for byte in bytes {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'/' => out.extend_from_slice(b"\\/"),
            8 => out.extend_from_slice(b"\\b"),
            12 => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 | 0x7f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            other => out.push(*other),
        }
    }
    out.push(b'"');
}
