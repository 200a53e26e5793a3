//! The `cmsgpack` library: MessagePack, as in Redis.

use mlua::{Lua, MultiValue, Table, Value};

/// Tables nested deeper than this are packed as nil, as in Redis.
const MAX_DEPTH: usize = 16;

pub fn table(lua: &Lua) -> Result<Table, mlua::Error> {
    let table = lua.create_table()?;
    table.set(
        "pack",
        lua.create_function(|lua, values: MultiValue| {
            if values.is_empty() {
                return Err(mlua::Error::runtime("MessagePack pack needs input."));
            }
            let mut out = Vec::new();
            for value in &values {
                pack(&mut out, value, 0)?;
            }
            lua.create_string(&out)
        })?,
    )?;
    table.set(
        "unpack",
        lua.create_function(|lua, text: mlua::LuaString| {
            Ok(unpack(lua, &text.as_bytes(), 0, usize::MAX)?.0)
        })?,
    )?;
    table.set(
        "unpack_one",
        lua.create_function(|lua, (text, offset): (mlua::LuaString, Option<i64>)| {
            unpack_some(lua, &text.as_bytes(), 1, offset)
        })?,
    )?;
    table.set(
        "unpack_limit",
        lua.create_function(
            |lua, (text, limit, offset): (mlua::LuaString, i64, Option<i64>)| {
                unpack_some(lua, &text.as_bytes(), limit, offset)
            },
        )?,
    )?;
    table.set("_NAME", "cmsgpack")?;
    table.set("_VERSION", "lua-cmsgpack 0.4.0")?;
    Ok(table)
}

/// Returns the position after the values, or -1 at the end, followed by the values.
fn unpack_some(
    lua: &Lua,
    bytes: &[u8],
    limit: i64,
    offset: Option<i64>,
) -> Result<MultiValue, mlua::Error> {
    let invalid = || mlua::Error::runtime("Invalid request to unpack with offset or limit.");
    let offset = usize::try_from(offset.unwrap_or(0)).map_err(|_| invalid())?;
    let limit = usize::try_from(limit).map_err(|_| invalid())?;
    if offset > bytes.len() {
        return Err(invalid());
    }
    let limit = if limit == 0 { usize::MAX } else { limit };
    let (mut values, at) = unpack(lua, bytes, offset, limit)?;
    let next = if at >= bytes.len() { -1.0 } else { at as f64 };
    values.push_front(Value::Number(next));
    Ok(values)
}

fn pack(out: &mut Vec<u8>, value: &Value, depth: usize) -> Result<(), mlua::Error> {
    match value {
        Value::Boolean(value) => out.push(if *value { 0xc3 } else { 0xc2 }),
        Value::Integer(value) => pack_integer(out, *value),
        Value::Number(value) if value.fract() == 0.0 && value.abs() < 9.2e18 => {
            pack_integer(out, *value as i64);
        }
        Value::Number(value) => {
            let short = *value as f32;
            if f64::from(short) == *value {
                out.push(0xca);
                out.extend_from_slice(&short.to_be_bytes());
            } else {
                out.push(0xcb);
                out.extend_from_slice(&value.to_be_bytes());
            }
        }
        Value::String(text) => {
            let bytes = text.as_bytes();
            match bytes.len() {
                len @ 0..32 => out.push(0xa0 | len as u8),
                len => pack_length(out, len, [0xd9, 0xda, 0xdb]),
            }
            out.extend_from_slice(&bytes);
        }
        Value::Table(_) if depth >= MAX_DEPTH => out.push(0xc0),
        Value::Table(table) => pack_table(out, table, depth + 1)?,
        _ => out.push(0xc0),
    }
    Ok(())
}

fn pack_integer(out: &mut Vec<u8>, value: i64) {
    match value {
        0..128 => out.push(value as u8),
        128..0x100 => out.extend_from_slice(&[0xcc, value as u8]),
        0x100..0x1_0000 => {
            out.push(0xcd);
            out.extend_from_slice(&(value as u16).to_be_bytes());
        }
        0x1_0000..0x1_0000_0000 => {
            out.push(0xce);
            out.extend_from_slice(&(value as u32).to_be_bytes());
        }
        0x1_0000_0000.. => {
            out.push(0xcf);
            out.extend_from_slice(&value.to_be_bytes());
        }
        -32..0 => out.push(value as i8 as u8),
        -128..-32 => out.extend_from_slice(&[0xd0, value as i8 as u8]),
        -32768..-128 => {
            out.push(0xd1);
            out.extend_from_slice(&(value as i16).to_be_bytes());
        }
        -2_147_483_648..-32768 => {
            out.push(0xd2);
            out.extend_from_slice(&(value as i32).to_be_bytes());
        }
        _ => {
            out.push(0xd3);
            out.extend_from_slice(&value.to_be_bytes());
        }
    }
}

/// Writes a length after the marker for one, two or four bytes.
fn pack_length(out: &mut Vec<u8>, len: usize, [one, two, four]: [u8; 3]) {
    match len {
        0..0x100 if one != 0 => out.extend_from_slice(&[one, len as u8]),
        0..0x1_0000 => {
            out.push(two);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            out.push(four);
            out.extend_from_slice(&(len as u32).to_be_bytes());
        }
    }
}

fn pack_table(out: &mut Vec<u8>, table: &Table, depth: usize) -> Result<(), mlua::Error> {
    let mut pairs = Vec::new();
    let (mut array, mut highest) = (true, 0i64);
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        match key {
            Value::Integer(index) if index > 0 => highest = highest.max(index),
            _ => array = false,
        }
        pairs.push((key, value));
    }
    let len = pairs.len();
    if array && highest == len as i64 {
        match len {
            0..16 => out.push(0x90 | len as u8),
            _ => pack_length(out, len, [0, 0xdc, 0xdd]),
        }
        for index in 1..=highest {
            pack(out, &table.raw_get(index)?, depth)?;
        }
        return Ok(());
    }
    match len {
        0..16 => out.push(0x80 | len as u8),
        _ => pack_length(out, len, [0, 0xde, 0xdf]),
    }
    for (key, value) in pairs {
        pack(out, &key, depth)?;
        pack(out, &value, depth)?;
    }
    Ok(())
}

fn unpack(
    lua: &Lua,
    bytes: &[u8],
    offset: usize,
    limit: usize,
) -> Result<(MultiValue, usize), mlua::Error> {
    let mut reader = Reader {
        lua,
        bytes,
        at: offset,
    };
    let mut values = Vec::new();
    while reader.at < bytes.len() && values.len() < limit {
        values.push(reader.value(0)?);
    }
    Ok((values.into_iter().collect(), reader.at))
}

struct Reader<'a> {
    lua: &'a Lua,
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take(&mut self, n: usize) -> Result<&[u8], mlua::Error> {
        let end = self.at.checked_add(n);
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or_else(|| mlua::Error::runtime("Missing bytes in input."))?;
        self.at += n;
        Ok(taken)
    }

    /// A big-endian number of `n` bytes.
    fn number(&mut self, n: usize) -> Result<u64, mlua::Error> {
        let bytes = self.take(n)?;
        Ok(bytes
            .iter()
            .fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn length(&mut self, n: usize) -> Result<usize, mlua::Error> {
        Ok(self.number(n)? as usize)
    }

    fn value(&mut self, depth: usize) -> Result<Value, mlua::Error> {
        // Deeper input would overflow the stack.
        if depth > 200 {
            return Err(mlua::Error::runtime("Bad data format in input."));
        }
        let mark = self.take(1)?[0];
        Ok(match mark {
            0..=0x7f => Value::Number(f64::from(mark)),
            0xe0..=0xff => Value::Number(f64::from(mark as i8)),
            0x80..=0x8f => self.map(usize::from(mark & 0x0f), depth)?,
            0x90..=0x9f => self.array(usize::from(mark & 0x0f), depth)?,
            0xa0..=0xbf => self.string(usize::from(mark & 0x1f))?,
            0xc0 => Value::Nil,
            0xc2 => Value::Boolean(false),
            0xc3 => Value::Boolean(true),
            0xca => Value::Number(f64::from(f32::from_bits(self.number(4)? as u32))),
            0xcb => Value::Number(f64::from_bits(self.number(8)?)),
            0xcc..=0xcf => Value::Number(self.number(1 << (mark - 0xcc))? as f64),
            0xd0 => Value::Number(f64::from(self.number(1)? as i8)),
            0xd1 => Value::Number(f64::from(self.number(2)? as i16)),
            0xd2 => Value::Number(f64::from(self.number(4)? as i32)),
            0xd3 => Value::Number(self.number(8)? as i64 as f64),
            0xc4..=0xc6 => {
                let len = self.length(1 << (mark - 0xc4))?;
                self.string(len)?
            }
            0xd9..=0xdb => {
                let len = self.length(1 << (mark - 0xd9))?;
                self.string(len)?
            }
            0xdc | 0xdd => {
                let len = self.length(2 << (mark - 0xdc))?;
                self.array(len, depth)?
            }
            0xde | 0xdf => {
                let len = self.length(2 << (mark - 0xde))?;
                self.map(len, depth)?
            }
            _ => return Err(mlua::Error::runtime("Bad data format in input.")),
        })
    }

    fn string(&mut self, len: usize) -> Result<Value, mlua::Error> {
        let lua = self.lua;
        Ok(Value::String(lua.create_string(self.take(len)?)?))
    }

    fn array(&mut self, len: usize, depth: usize) -> Result<Value, mlua::Error> {
        let table = self.lua.create_table()?;
        for index in 1..=len {
            table.raw_set(index, self.value(depth + 1)?)?;
        }
        Ok(Value::Table(table))
    }

    fn map(&mut self, len: usize, depth: usize) -> Result<Value, mlua::Error> {
        let table = self.lua.create_table()?;
        for _ in 0..len {
            let key = self.value(depth + 1)?;
            let value = self.value(depth + 1)?;
            if matches!(key, Value::Nil) {
                return Err(mlua::Error::runtime("Bad data format in input."));
            }
            table.raw_set(key, value)?;
        }
        Ok(Value::Table(table))
    }
}
