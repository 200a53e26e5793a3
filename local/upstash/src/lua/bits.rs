//! The `bit` library: 32-bit operations, as in LuaJIT.

use mlua::{Lua, Table, Variadic};

/// A number as 32 bits: rounded, then truncated.
fn to_bits(value: f64) -> u32 {
    let rounded = value.round_ties_even();
    if !rounded.is_finite() {
        return 0;
    }
    rounded.rem_euclid(4_294_967_296.0) as u32
}

fn signed(bits: u32) -> f64 {
    f64::from(bits as i32)
}

pub fn table(lua: &Lua) -> Result<Table, mlua::Error> {
    let table = lua.create_table()?;
    let one = |run: fn(u32) -> u32| {
        lua.create_function(move |_, value: f64| Ok(signed(run(to_bits(value)))))
    };
    table.set("tobit", one(|bits| bits)?)?;
    table.set("bnot", one(|bits| !bits)?)?;
    table.set("bswap", one(u32::swap_bytes)?)?;
    let many = |run: fn(u32, u32) -> u32| {
        lua.create_function(move |_, (first, rest): (f64, Variadic<f64>)| {
            let bits = rest
                .iter()
                .fold(to_bits(first), |left, right| run(left, to_bits(*right)));
            Ok(signed(bits))
        })
    };
    table.set("band", many(|left, right| left & right)?)?;
    table.set("bor", many(|left, right| left | right)?)?;
    table.set("bxor", many(|left, right| left ^ right)?)?;
    let shift = |run: fn(u32, u32) -> u32| {
        lua.create_function(move |_, (value, by): (f64, f64)| {
            Ok(signed(run(to_bits(value), to_bits(by) & 31)))
        })
    };
    table.set("lshift", shift(|bits, by| bits << by)?)?;
    table.set("rshift", shift(|bits, by| bits >> by)?)?;
    table.set("arshift", shift(|bits, by| ((bits as i32) >> by) as u32)?)?;
    table.set("rol", shift(u32::rotate_left)?)?;
    table.set("ror", shift(u32::rotate_right)?)?;
    table.set(
        "tohex",
        lua.create_function(|_, (value, digits): (f64, Option<f64>)| {
            let digits = digits.unwrap_or(8.0);
            let n = (digits.abs() as usize).min(8);
            let text = format!("{:08x}", to_bits(value));
            let text = text[8 - n..].to_owned();
            Ok(if digits < 0.0 {
                text.to_ascii_uppercase()
            } else {
                text
            })
        })?,
    )?;
    Ok(table)
}
