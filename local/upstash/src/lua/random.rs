//! `math.random` as in Redis: every run of a script gets the same sequence, and the
//! generator is shared with nothing else.

use std::cell::Cell;
use std::rc::Rc;

use mlua::{Lua, MultiValue, Table};

/// The state of C's `lrand48`, in the lowest 48 bits.
#[derive(Clone)]
pub struct Random(Rc<Cell<u64>>);

impl Random {
    pub fn new() -> Self {
        let random = Self(Rc::default());
        random.seed(0);
        random
    }

    /// Starts the sequence of a seed. Each script starts with seed 0.
    pub fn seed(&self, seed: i64) {
        self.0.set((seed as u64 & 0xffff_ffff) << 16 | 0x330e);
    }

    /// A number from 0 (inclusive) to 1 (exclusive).
    fn next(&self) -> f64 {
        let next = self.0.get().wrapping_mul(0x5_deec_e66d).wrapping_add(0xb) & 0xffff_ffff_ffff;
        self.0.set(next);
        (next >> 17) as f64 % f64::from(i32::MAX) / f64::from(i32::MAX)
    }

    /// Replaces the library's functions.
    pub fn install(&self, lua: &Lua) -> Result<(), mlua::Error> {
        let math: Table = lua.globals().get("math")?;
        let random = self.clone();
        math.set(
            "random",
            lua.create_function(move |lua, bounds: MultiValue| {
                let part = random.next();
                let bounds = bounds
                    .into_iter()
                    .map(|bound| lua.coerce_number(bound)?.ok_or_else(not_a_number))
                    .collect::<Result<Vec<f64>, _>>()?;
                let (low, high) = match bounds[..] {
                    [] => return Ok(part),
                    [high] => (1.0, high.trunc()),
                    [low, high] => (low.trunc(), high.trunc()),
                    _ => return Err(mlua::Error::runtime("wrong number of arguments")),
                };
                if low > high {
                    return Err(mlua::Error::runtime(
                        "bad argument to 'random' (interval is empty)",
                    ));
                }
                Ok((part * (high - low + 1.0)).floor() + low)
            })?,
        )?;
        let random = self.clone();
        math.set(
            "randomseed",
            lua.create_function(move |_, seed: f64| {
                random.seed(seed as i64);
                Ok(())
            })?,
        )
    }
}

fn not_a_number() -> mlua::Error {
    mlua::Error::runtime("bad argument to 'random' (number expected)")
}
