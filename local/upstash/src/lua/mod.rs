//! Scripts: EVAL and its family, run by Lua 5.1 in Redis's environment.
//!
//! A compiled script is cached under the SHA-1 of its source as sent. The cache is not
//! persisted, so `NOSCRIPT` after a restart happens here as elsewhere. Each database has
//! its own Lua state: tables, `cjson` settings and cached scripts are never shared
//! between tokens.

mod bits;
mod cjson;
mod cmsgpack;
mod convert;
mod json_reader;
mod random;
mod redis_api;
pub mod shebang;
mod structs;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::Instant;

use mlua::VmState;
use mlua::chunk::ChunkMode;
use mlua::{Function, HookTriggers, Lua, LuaOptions, MultiValue, StdLib, Table, Value};

use crate::commands::Args;
use crate::commands::arguments::is;
use crate::errors::CommandError;
use crate::executor::State;
use crate::number::parse_i64;
use crate::reply::{Outcome, Reply};
use random::Random;
use shebang::Flags;

/// Number of Lua instructions between two checks of the clock.
const LOOK_EVERY: u32 = 100_000;

/// The running script.
struct Run {
    db: usize,
    now_ms: i64,
    read_only: bool,
    /// The keys it may use, if it asked for key locking.
    declared: Option<HashSet<Vec<u8>>>,
    deadline: Instant,
}

type Running = Rc<RefCell<Option<Run>>>;

#[derive(Clone)]
struct Script {
    function: Function,
    flags: Flags,
}

pub struct Scripts {
    lua: Lua,
    cache: HashMap<String, Script>,
    state: Rc<RefCell<State>>,
    running: Running,
    random: Random,
    environment: Table,
    globals: Table,
    runner: Function,
}

impl Scripts {
    /// # Errors
    ///
    /// If Lua cannot be set up.
    pub fn new(state: Rc<RefCell<State>>) -> Result<Self, mlua::Error> {
        let libraries = StdLib::STRING | StdLib::TABLE | StdLib::MATH | StdLib::OS;
        let lua = Lua::new_with(libraries, LuaOptions::new().catch_rust_panics(false))?;
        let running: Running = Rc::default();
        let random = Random::new();
        random.install(&lua)?;
        let dispatch = redis_api::dispatch(&lua, Rc::clone(&state), Rc::clone(&running))?;
        let api = redis_api::table(&lua)?;
        let extra = lua.create_table()?;
        extra.set("bit", bits::table(&lua)?)?;
        extra.set("cjson", cjson::table(&lua)?)?;
        extra.set("cmsgpack", cmsgpack::table(&lua)?)?;
        extra.set("struct", structs::table(&lua)?)?;
        let prelude = lua
            .load(include_str!("prelude.lua"))
            .set_name("@prelude")
            .into_function()?;
        let (environment, globals, runner): (Table, Table, Function) =
            prelude.call((dispatch, api, extra))?;
        lua.set_memory_limit(state.borrow().limits.script_memory_bytes)?;
        let scripts = Self {
            lua,
            cache: HashMap::new(),
            state,
            running,
            random,
            environment,
            globals,
            runner,
        };
        scripts.watch_time(LOOK_EVERY)?;
        Ok(scripts)
    }

    /// Stops a script at its deadline. From then on every instruction raises an error, so
    /// even a script that catches errors in a loop ends.
    fn watch_time(&self, every: u32) -> Result<(), mlua::Error> {
        let running = Rc::clone(&self.running);
        let triggers = HookTriggers::new().every_nth_instruction(every);
        self.lua.set_global_hook(triggers, move |lua, _| {
            let late = match &*running.borrow() {
                Some(run) => Instant::now() >= run.deadline,
                None => false,
            };
            if !late {
                return Ok(VmState::Continue);
            }
            if every > 1 {
                lua.set_global_hook(HookTriggers::new().every_nth_instruction(1), |_, _| {
                    Err(too_long())
                })?;
            }
            Err(too_long())
        })
    }

    /// Runs EVAL, EVALSHA, their read-only variants, and SCRIPT.
    pub fn run(&mut self, db: usize, now_ms: i64, args: Args<'_>) -> Outcome {
        if is(&args[0], "SCRIPT") {
            return self.script(args);
        }
        let by_digest = is(&args[0], "EVALSHA") || is(&args[0], "EVALSHA_RO");
        let read_only = args[0].to_ascii_uppercase().ends_with(b"_RO");
        let n_keys = parse_i64(&args[2]).ok_or(CommandError::NOT_INTEGER)?;
        if n_keys > i64::try_from(args.len()).unwrap_or(i64::MAX) - 3 {
            return Err(CommandError::fixed(
                "ERR Number of keys can't be greater than number of args",
            ));
        }
        let n_keys = usize::try_from(n_keys)
            .map_err(|_| CommandError::fixed("ERR Number of keys can't be negative"))?;
        let (digest, script) = match by_digest {
            true => {
                let digest = String::from_utf8_lossy(&args[1]).to_ascii_lowercase();
                let script = self.cache.get(&digest).cloned();
                (digest, script.ok_or(CommandError::NO_SCRIPT)?)
            }
            false => self.load(&args[1])?,
        };
        let (keys, values) = args[3..].split_at(n_keys);
        let deadline = Instant::now() + self.state.borrow().limits.script_time;
        *self.running.borrow_mut() = Some(Run {
            db,
            now_ms,
            read_only: read_only || script.flags.no_writes,
            declared: script
                .flags
                .locks_keys
                .then(|| keys.iter().cloned().collect()),
            deadline,
        });
        self.random.seed(0);
        let result = self.call(&script.function, keys, values);
        *self.running.borrow_mut() = None;
        self.clear_garbage();
        if Instant::now() >= deadline {
            self.watch_time(LOOK_EVERY)
                .map_err(|error| CommandError::new(format!("ERR {error}")))?;
        }
        result
            .map_err(|error| script_error(&error, &digest))?
            .map_err(|text| named_error(&text, &digest))
    }

    /// The outer error comes from Lua itself, the inner one from the script.
    fn call(
        &self,
        function: &Function,
        keys: &[Vec<u8>],
        values: &[Vec<u8>],
    ) -> Result<Result<Reply, String>, mlua::Error> {
        self.globals
            .raw_set("KEYS", convert::string_list(&self.lua, keys)?)?;
        self.globals
            .raw_set("ARGV", convert::string_list(&self.lua, values)?)?;
        let mut results = self.runner.call::<MultiValue>(function)?.into_iter();
        let succeeded = matches!(results.next(), Some(Value::Boolean(true)));
        let value = results.next().unwrap_or(Value::Nil);
        Ok(match succeeded {
            true => Ok(convert::to_reply(&value)?),
            false => Err(convert::error_text(&value)?),
        })
    }

    /// Collects garbage so that one script's leftovers do not exhaust the memory of the
    /// next.
    fn clear_garbage(&self) {
        if self.lua.used_memory() > self.state.borrow().limits.script_memory_bytes / 2
            && let Err(error) = self.lua.gc_collect()
        {
            tracing::warn!(%error, "cannot collect the scripts' garbage");
        }
    }

    /// Compiles a script unless it is already cached.
    fn load(&mut self, source: &[u8]) -> Result<(String, Script), CommandError> {
        let digest = sha1_smol::Sha1::from(source).digest().to_string();
        if let Some(script) = self.cache.get(&digest) {
            return Ok((digest, script.clone()));
        }
        let (flags, body) = shebang::split(source)?;
        let chunk = self.lua.load(body.as_slice()).set_name("@user_script");
        let chunk = chunk
            .set_mode(ChunkMode::Text)
            .set_environment(self.environment.clone());
        let function = chunk.into_function().map_err(|error| {
            CommandError::new(format!(
                "ERR Error compiling script (new function): {}",
                convert::lua_error_text(&error)
            ))
        })?;
        let script = Script { function, flags };
        self.cache.insert(digest.clone(), script.clone());
        Ok((digest, script))
    }

    fn script(&mut self, args: Args<'_>) -> Outcome {
        let subcommand = String::from_utf8_lossy(&args[1]).to_ascii_uppercase();
        match (subcommand.as_str(), &args[2..]) {
            ("LOAD", [source]) => self.load(source).map(|(digest, _)| Reply::bulk(digest)),
            ("EXISTS", digests @ [_, ..]) => Ok(Reply::Array(
                digests
                    .iter()
                    .map(|digest| String::from_utf8_lossy(digest).to_ascii_lowercase())
                    .map(|digest| Reply::flag(self.cache.contains_key(&digest)))
                    .collect(),
            )),
            ("FLUSH", rest) => {
                let fits = match rest {
                    [] => true,
                    [mode] => is(mode, "SYNC") || is(mode, "ASYNC"),
                    _ => false,
                };
                if !fits {
                    return Err(CommandError::fixed(
                        "ERR SCRIPT FLUSH only support SYNC|ASYNC option",
                    ));
                }
                self.cache.clear();
                Ok(Reply::OK)
            }
            ("KILL", []) => Err(CommandError::fixed(
                "NOTBUSY No scripts in execution right now.",
            )),
            ("LOAD" | "EXISTS" | "KILL", _) => {
                Err(CommandError::arity(&format!("script|{subcommand}")))
            }
            _ => Err(CommandError::new(format!(
                "ERR unknown subcommand '{}'. Try SCRIPT HELP.",
                String::from_utf8_lossy(&args[1])
            ))),
        }
    }
}

fn too_long() -> mlua::Error {
    mlua::Error::runtime("Script ran longer than the time limit")
}

fn script_error(error: &mlua::Error, digest: &str) -> CommandError {
    named_error(&convert::lua_error_text(error), digest)
}

/// Appends the script's name to the error, as Redis does.
fn named_error(text: &str, digest: &str) -> CommandError {
    CommandError::new(format!("{text} script: {digest}, on @user_script."))
}
