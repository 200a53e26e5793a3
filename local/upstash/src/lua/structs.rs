//! The `struct` library: packing numbers and strings by a format.

use mlua::{Lua, MultiValue, Table, Value};

pub fn table(lua: &Lua) -> Result<Table, mlua::Error> {
    let table = lua.create_table()?;
    table.set(
        "pack",
        lua.create_function(|lua, (format, values): (mlua::LuaString, MultiValue)| {
            lua.create_string(pack(&format.as_bytes(), values)?)
        })?,
    )?;
    table.set(
        "unpack",
        lua.create_function(
            |lua, (format, data, from): (mlua::LuaString, mlua::LuaString, Option<usize>)| {
                unpack(lua, &format.as_bytes(), &data.as_bytes(), from.unwrap_or(1))
            },
        )?,
    )?;
    table.set(
        "size",
        lua.create_function(|_, format: mlua::LuaString| {
            let format = format.as_bytes();
            let mut layout = Layout::new(&format);
            let mut size = 0;
            while let Some((option, length)) = layout.next()? {
                if matches!(option, b's') || (option == b'c' && length == 0) {
                    return Err(mlua::Error::runtime("variable-size format for 'size'"));
                }
                size += layout.padding(option, length, size) + length;
            }
            Ok(size)
        })?,
    )?;
    Ok(table)
}

/// Iterates over a format and keeps track of byte order and alignment.
struct Layout<'a> {
    format: &'a [u8],
    at: usize,
    little: bool,
    align: usize,
}

impl<'a> Layout<'a> {
    fn new(format: &'a [u8]) -> Self {
        Self {
            format,
            at: 0,
            little: true,
            align: 1,
        }
    }

    fn digits(&mut self) -> Result<Option<usize>, mlua::Error> {
        let start = self.at;
        while self.format.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if start == self.at {
            return Ok(None);
        }
        let text = std::str::from_utf8(&self.format[start..self.at]).unwrap_or_default();
        let value = text
            .parse::<i32>()
            .ok()
            .and_then(|value| usize::try_from(value).ok());
        value
            .map(Some)
            .ok_or_else(|| mlua::Error::runtime("integral size overflow"))
    }

    /// The next option and its length in bytes. Byte order and alignment options are
    /// consumed.
    fn next(&mut self) -> Result<Option<(u8, usize)>, mlua::Error> {
        while let Some(&option) = self.format.get(self.at) {
            self.at += 1;
            let length = match option {
                b'b' | b'B' | b'x' => 1,
                b'h' | b'H' => 2,
                b'i' | b'I' => {
                    let length = self.digits()?.unwrap_or(4);
                    if !(1..=32).contains(&length) {
                        return Err(mlua::Error::runtime(format!(
                            "integral size {length} is larger than limit of 32"
                        )));
                    }
                    length
                }
                b'l' | b'L' | b'T' | b'd' | b'n' => 8,
                b'f' => 4,
                b's' => 0,
                b'c' => self.digits()?.unwrap_or(1),
                b'<' => {
                    self.little = true;
                    continue;
                }
                b'>' => {
                    self.little = false;
                    continue;
                }
                b'!' => {
                    self.align = self.digits()?.unwrap_or(8);
                    if !self.align.is_power_of_two() {
                        return Err(mlua::Error::runtime("alignment is not a power of 2"));
                    }
                    continue;
                }
                b' ' => continue,
                other => {
                    return Err(mlua::Error::runtime(format!(
                        "invalid format option '{}'",
                        char::from(other)
                    )));
                }
            };
            return Ok(Some((option, length)));
        }
        Ok(None)
    }

    fn padding(&self, option: u8, length: usize, offset: usize) -> usize {
        if length == 0 || matches!(option, b'c' | b'x') {
            return 0;
        }
        let align = length.min(self.align);
        if align <= 1 || !align.is_power_of_two() {
            return 0;
        }
        (align - (offset & (align - 1))) & (align - 1)
    }

    fn ordered(&self, little_endian: &[u8]) -> Vec<u8> {
        let mut bytes = little_endian.to_vec();
        if !self.little {
            bytes.reverse();
        }
        bytes
    }
}

fn number(value: Option<Value>) -> Result<f64, mlua::Error> {
    match value {
        Some(Value::Integer(value)) => Ok(value as f64),
        Some(Value::Number(value)) => Ok(value),
        Some(Value::String(text)) => text
            .to_string_lossy()
            .trim()
            .parse()
            .map_err(|_| mlua::Error::runtime("bad argument to 'pack' (number expected)")),
        _ => Err(mlua::Error::runtime(
            "bad argument to 'pack' (number expected)",
        )),
    }
}

fn pack(format: &[u8], values: MultiValue) -> Result<Vec<u8>, mlua::Error> {
    let mut values = values.into_iter();
    let mut layout = Layout::new(format);
    let mut out = Vec::new();
    while let Some((option, length)) = layout.next()? {
        out.resize(out.len() + layout.padding(option, length, out.len()), 0);
        match option {
            b'x' => out.push(0),
            b'f' => {
                let value = number(values.next())? as f32;
                out.extend(layout.ordered(&value.to_le_bytes()));
            }
            b'd' | b'n' => out.extend(layout.ordered(&number(values.next())?.to_le_bytes())),
            b's' | b'c' => {
                let Some(Value::String(text)) = values.next() else {
                    return Err(mlua::Error::runtime(
                        "bad argument to 'pack' (string expected)",
                    ));
                };
                let text = text.as_bytes();
                let length = if length == 0 { text.len() } else { length };
                let cut = text.get(..length).ok_or_else(|| {
                    mlua::Error::runtime("bad argument to 'pack' (string too short)")
                })?;
                out.extend_from_slice(cut);
                if option == b's' {
                    out.push(0);
                }
            }
            _ => {
                let value = number(values.next())?;
                let whole = if value < 0.0 {
                    value as i64 as i128
                } else {
                    value as u64 as i128
                };
                let bytes = whole.to_le_bytes();
                let sign = if whole < 0 { 0xff } else { 0 };
                let wide: Vec<u8> = (0..length)
                    .map(|index| bytes.get(index).copied().unwrap_or(sign))
                    .collect();
                out.extend(layout.ordered(&wide));
            }
        }
    }
    Ok(out)
}

/// Returns the values, followed by the position after the last byte read.
fn unpack(lua: &Lua, format: &[u8], data: &[u8], from: usize) -> Result<MultiValue, mlua::Error> {
    let short = || mlua::Error::runtime("data string too short");
    let mut layout = Layout::new(format);
    let mut at = from
        .checked_sub(1)
        .ok_or_else(|| mlua::Error::runtime("offset must be 1 or greater"))?;
    let mut values = Vec::new();
    while let Some((option, mut length)) = layout.next()? {
        at += layout.padding(option, length, at);
        if option == b's' {
            let rest = data.get(at..).ok_or_else(short)?;
            let end = rest.iter().position(|byte| *byte == 0);
            let end = end.ok_or_else(|| mlua::Error::runtime("unfinished string in data"))?;
            values.push(Value::String(lua.create_string(&rest[..end])?));
            at += end + 1;
            continue;
        }
        if option == b'c' && length == 0 {
            // The length is the number that was read just before.
            length = match values.pop() {
                Some(Value::Number(value)) if value >= 0.0 => value as usize,
                _ => return Err(mlua::Error::runtime("format 'c0' needs a previous size")),
            };
        }
        let end = at.checked_add(length).ok_or_else(short)?;
        let bytes = data.get(at..end).ok_or_else(short)?;
        at = end;
        match option {
            b'x' => {}
            b'c' => values.push(Value::String(lua.create_string(bytes)?)),
            _ => values.push(Value::Number(read_number(option, &layout.ordered(bytes)))),
        }
    }
    values.push(Value::Number((at + 1) as f64));
    Ok(values.into_iter().collect())
}

/// A number from its bytes, least significant first.
fn read_number(option: u8, bytes: &[u8]) -> f64 {
    let mut wide = [0u8; 8];
    let n = bytes.len().min(8);
    wide[..n].copy_from_slice(&bytes[..n]);
    match option {
        b'f' => f64::from(f32::from_bits(u64::from_le_bytes(wide) as u32)),
        b'd' | b'n' => f64::from_le_bytes(wide),
        option => {
            let value = u64::from_le_bytes(wide);
            if option.is_ascii_uppercase() {
                return value as f64;
            }
            let shift = 64 - 8 * n as u32;
            ((value << shift) as i64 >> shift) as f64
        }
    }
}
