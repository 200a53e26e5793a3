//! Calls the script of sessions.

use crate::redis::{Error, Redis, Script, lua_files};

static CREATE: Script = Script::new("create", lua_files!["create"]).running(5);

/// Every script, for tests that read them.
pub static ALL: &[&Script] = &[&CREATE];

pub(super) struct CreateRequest<'a> {
    pub now: i64,
    pub until: i64,
    pub idle_ms: u128,
    pub name: &'a str,
    pub text: String,
    pub most: u64,
    pub keep_ms: u128,
}

pub(super) async fn create(
    redis: &Redis,
    keys: [&str; 2],
    request: CreateRequest<'_>,
) -> Result<Vec<String>, Error> {
    let args = [
        request.now.to_string(),
        request.until.to_string(),
        request.idle_ms.to_string(),
        request.name.to_owned(),
        request.text,
        request.most.to_string(),
        request.keep_ms.to_string(),
    ];
    CREATE.run(&**redis, &keys, &args).await
}
