//! The queue's Lua files, and the scripts built from them.
//!
//! A script is its main file, preceded by the files that it needs; see `redis/lua.rs`.
//! `scripts.rs` calls the scripts. The argument of `running` is the number of commands that
//! a script usually runs, for the meter.

use crate::redis::{LuaFiles, Script, lua_files};

pub(super) const FILES: LuaFiles = lua_files![
    "audit",
    "base",
    "cancel",
    "change",
    "claim",
    "count",
    "enqueue",
    "errors",
    "finish",
    "forget",
    "group",
    "hasten",
    "heal",
    "ingest",
    "job_states",
    "layout",
    "list",
    "once",
    "parked",
    "parking",
    "pick",
    "promote",
    "purge",
    "rate",
    "read",
    "redrive",
    "replay",
    "retain",
    "round",
    "schedule",
    "score",
    "settle",
    "slot",
    "stored",
    "successor",
    "sweep",
    "tick",
    "tx",
    "write",
];

pub(super) static TICK: Script = Script::new("tick", FILES).running(6);
pub(super) static ENQUEUE: Script = Script::new("enqueue", FILES).running(2);
pub(super) static CANCEL: Script = Script::new("cancel", FILES).running(4);
pub(super) static CHANGE: Script = Script::new("change", FILES).running(4);
pub(super) static REDRIVE: Script = Script::new("redrive", FILES).running(4);
pub(super) static RETAIN: Script = Script::new("retain", FILES).running(6);
pub(super) static PURGE: Script = Script::new("purge", FILES).running(3);
pub(super) static AUDIT: Script = Script::new("audit", FILES).running(6);
pub(super) static LIST: Script = Script::new("list", FILES).running(2);
pub(super) static JOB_STATES: Script = Script::new("job_states", FILES).running(2);

/// Like [`ENQUEUE`], and stores the caller's reply in the same step; see `once.rs`.
pub(super) static ENQUEUE_ONCE: Script = Script::new("enqueue_once", FILES)
    .wrapped("enqueue", "once")
    .running(4);

/// Like [`REDRIVE`], and stores the caller's reply in the same step.
pub(super) static REDRIVE_ONCE: Script = Script::new("redrive_once", FILES)
    .wrapped("redrive", "once")
    .running(6);

/// Every script, for tests that read or interrupt them.
pub static ALL: &[&Script] = &[
    &TICK,
    &ENQUEUE,
    &CANCEL,
    &CHANGE,
    &REDRIVE,
    &RETAIN,
    &PURGE,
    &AUDIT,
    &LIST,
    &JOB_STATES,
    &ENQUEUE_ONCE,
    &REDRIVE_ONCE,
];
