//! Runs commands on the values: a single command, a script or a transaction.

use std::cell::{RefCell, RefMut};
use std::rc::Rc;
use std::sync::Arc;

use crate::clock::Clock;
use crate::commands::{Args, Context};
use crate::engine::{Answer, Job};
use crate::errors::CommandError;
use crate::limits::Limits;
use crate::lua::Scripts;
use crate::meter::Meter;
use crate::random::Random;
use crate::registry::{self, Kind, Spec};
use crate::reply::{Outcome, Reply};
use crate::store::Database;
use crate::store::codec::encode_command;
use crate::store::database::{Entry, Expired};
use crate::store::disk::LogRow;

/// The state that commands work on. Scripts share it with the executor.
pub struct State {
    dbs: Vec<Database>,
    random: Random,
    log: Vec<LogRow>,
    persists: bool,
    pub clock: Clock,
    pub limits: Arc<Limits>,
    pub meter: Arc<Meter>,
}

impl State {
    pub fn new(
        persists: bool,
        seed: u64,
        clock: Clock,
        limits: Arc<Limits>,
        meter: Arc<Meter>,
    ) -> Self {
        Self {
            dbs: Vec::new(),
            random: Random::new(seed),
            log: Vec::new(),
            persists,
            clock,
            limits,
            meter,
        }
    }

    fn database(&mut self, number: usize) -> &mut Database {
        while self.dbs.len() <= number {
            let mut db = Database::default();
            if self.persists {
                db.track_changes();
            }
            self.dbs.push(db);
        }
        &mut self.dbs[number]
    }

    pub fn databases_mut(&mut self) -> &mut [Database] {
        &mut self.dbs
    }

    /// Restores a stored key.
    pub fn restore(&mut self, db: usize, key: &[u8], entry: Entry) {
        self.database(db).put(key, entry);
    }

    pub fn forget_changes(&mut self) {
        for db in &mut self.dbs {
            db.take_dirty();
        }
    }

    /// Repeats a logged command with its original time and random state.
    pub fn replay(&mut self, row: &LogRow, args: Args<'_>) {
        let random = std::mem::replace(&mut self.random, Random::new(row.seed));
        if let Ok((_, spec)) = registry::find(args) {
            // A command that failed half-way was logged for the part that took effect.
            let _ = self.call(spec, row.db, row.at_ms, args);
        }
        self.random = random;
    }

    pub fn take_log(&mut self) -> Vec<LogRow> {
        std::mem::take(&mut self.log)
    }

    /// Removes all expired keys in every database.
    pub fn remove_all_due(&mut self) {
        let now_ms = self.clock.now_ms();
        for db in 0..self.dbs.len() {
            self.remove_due(db, now_ms);
        }
    }

    /// Removes expired keys and logs that as deletions, so a clock that is set back does
    /// not revive them on replay.
    fn remove_due(&mut self, db: usize, now_ms: i64) {
        for expired in self.database(db).remove_due(now_ms) {
            let args = match expired {
                Expired::Key(key) => vec![b"DEL".to_vec(), key],
                Expired::Fields(key, fields) => {
                    let mut args = vec![b"HDEL".to_vec(), key];
                    args.extend(fields);
                    args
                }
            };
            self.append_log(db, now_ms, 0, &args);
        }
    }

    fn append_log(&mut self, db: usize, at_ms: i64, seed: u64, args: Args<'_>) {
        if self.persists {
            self.log.push(LogRow {
                db,
                at_ms,
                seed,
                command: encode_command(args),
            });
        }
    }

    fn call(&mut self, spec: &Spec, db: usize, now_ms: i64, args: Args<'_>) -> Outcome {
        self.database(db);
        let mut context = Context {
            db: &mut self.dbs[db],
            now_ms,
            random: &mut self.random,
            meter: &self.meter,
        };
        (spec.run)(&mut context, args)
    }

    /// Runs one command that is not a script, counts it, and logs it if it wrote.
    pub fn execute(
        &mut self,
        (index, spec): (usize, &Spec),
        db: usize,
        now_ms: i64,
        args: Args<'_>,
    ) -> Outcome {
        self.meter.count(index);
        let seed = self.random.state();
        let before = self.database(db).n_changes();
        let outcome = self.call(spec, db, now_ms, args);
        if self.database(db).n_changes() != before {
            self.append_log(db, now_ms, seed, args);
        }
        outcome
    }
}

/// Finds a command and validates everything that can be validated without running it.
///
/// # Errors
///
/// Anything that discards a transaction: an unknown or refused command, the wrong number
/// of arguments, or a key that is too long.
pub fn check(args: Args<'_>, limits: &Limits) -> Result<(usize, &'static Spec), CommandError> {
    let (index, spec) = registry::find(args)?;
    let keys = registry::keys_of(spec, args);
    if let Some(key) = keys.iter().find(|key| key.len() > limits.key_bytes) {
        return Err(CommandError::new(format!(
            "ERR max key size exceeded. Limit: {} bytes, Actual: {} bytes",
            limits.key_bytes,
            key.len()
        )));
    }
    Ok((index, spec))
}

pub struct Executor {
    state: Rc<RefCell<State>>,
    /// One Lua state per database, so that scripts of different tokens cannot see each
    /// other's data.
    scripts: Vec<Option<Scripts>>,
}

impl Executor {
    /// # Errors
    ///
    /// If Lua cannot be set up.
    pub fn new(state: State) -> Result<Self, mlua::Error> {
        let state = Rc::new(RefCell::new(state));
        Ok(Self {
            scripts: vec![Some(Scripts::new(Rc::clone(&state))?)],
            state,
        })
    }

    /// The scripts of a database. Its Lua state is created on first use.
    fn scripts(&mut self, db: usize) -> Result<&mut Scripts, CommandError> {
        if self.scripts.len() <= db {
            self.scripts.resize_with(db + 1, || None);
        }
        match &mut self.scripts[db] {
            Some(scripts) => Ok(scripts),
            place @ None => {
                let made = Scripts::new(Rc::clone(&self.state))
                    .map_err(|error| CommandError::new(format!("ERR {error}")))?;
                Ok(place.insert(made))
            }
        }
    }

    pub fn state(&self) -> RefMut<'_, State> {
        self.state.borrow_mut()
    }

    pub fn run(&mut self, job: Job) -> Answer {
        match job.atomic {
            true => self.run_transaction(&job),
            false => Answer::Ran(
                job.commands
                    .iter()
                    .map(|args| self.run_one(job.db, None, args))
                    .collect(),
            ),
        }
    }

    fn run_transaction(&mut self, job: &Job) -> Answer {
        let limits = Arc::clone(&self.state().limits);
        for args in &job.commands {
            if let Err(error) = check(args, &limits) {
                return Answer::Discarded(format!(
                    "EXECABORT Transaction discarded because of: {error}"
                ));
            }
        }
        let now_ms = self.start(job.db);
        let replies = job
            .commands
            .iter()
            .map(|args| self.run_one(job.db, Some(now_ms), args));
        Answer::Ran(replies.collect())
    }

    /// Reads the time for the next command and removes expired keys.
    fn start(&self, db: usize) -> i64 {
        let mut state = self.state();
        let now_ms = state.clock.now_ms();
        state.remove_due(db, now_ms);
        now_ms
    }

    /// `now_ms` is set inside a transaction, where time stands still.
    fn run_one(&mut self, db: usize, now_ms: Option<i64>, args: Args<'_>) -> Reply {
        let limits = Arc::clone(&self.state().limits);
        let (index, spec) = match check(args, &limits) {
            Ok(found) => found,
            Err(error) => return Err(error).into(),
        };
        let now_ms = now_ms.unwrap_or_else(|| self.start(db));
        if spec.kind == Kind::Script {
            self.state().meter.count(index);
            let scripts = self.scripts(db);
            return scripts
                .and_then(|scripts| scripts.run(db, now_ms, args))
                .into();
        }
        self.state().execute((index, spec), db, now_ms, args).into()
    }
}
