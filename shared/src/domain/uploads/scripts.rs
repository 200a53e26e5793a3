//! Calls the scripts of uploads.

use crate::redis::{Error, LuaFiles, Redis, Script, lua_files};

const FILES: LuaFiles = lua_files!["finish", "part"];

static FINISH: Script = Script::new("finish", FILES).running(4);
static PART: Script = Script::new("part", FILES);

/// Every script, for tests that read them.
pub static ALL: &[&Script] = &[&FINISH, &PART];

pub(super) async fn part(
    redis: &Redis,
    key: &str,
    number: u32,
    text: String,
    length: usize,
) -> Result<(String, u64), Error> {
    let args = [number.to_string(), text, length.to_string()];
    PART.run(&**redis, &[key], &args).await
}

pub(super) async fn finish(
    redis: &Redis,
    key: &str,
    keep_ms: u128,
) -> Result<(String, String), Error> {
    let args = [keep_ms.to_string()];
    FINISH.run(&**redis, &[key], &args).await
}
