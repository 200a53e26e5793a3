//! Calls the script of schedules.

use crate::redis::{Error, Redis, Script, lua_files};

static SET: Script = Script::new("set", lua_files!["set"]).running(4);

/// Every script, for tests that read them.
pub static ALL: &[&Script] = &[&SET];

pub(super) struct SetRequest<'a> {
    pub name: &'a str,
    pub text: String,
    pub revision: &'a str,
    pub next: i64,
    pub most: u64,
}

/// Returns 1, 0 or -1, as the script says.
pub(super) async fn set(
    redis: &Redis,
    keys: [&str; 2],
    request: SetRequest<'_>,
) -> Result<i64, Error> {
    let args = [
        request.name.to_owned(),
        request.text,
        request.revision.to_owned(),
        request.next.to_string(),
        request.most.to_string(),
    ];
    SET.run(&**redis, &keys, &args).await
}
