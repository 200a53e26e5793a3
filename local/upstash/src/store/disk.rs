//! The database file: a log of write commands, and snapshots of keys.
//!
//! The log stores each command with its time and random state, so a replay repeats SPOP,
//! `XADD *` and relative expiry exactly. For a script, the commands it called are logged.
//! Compaction writes changed keys to `snap` and empties the log in one transaction.

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};

use super::Database;
use super::codec::{Damaged, decode_command, decode_value, encode_value};
use super::database::Entry;

/// Number of log rows that triggers a compaction.
pub const COMPACT_AFTER_ROWS: usize = 50_000;

/// When a commit is complete.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// When the operating system has it: survives a crash of the process, but not of the
    /// machine.
    #[default]
    Normal,
    /// When it is synced to disk.
    Full,
}

#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    #[error("{path} is in use by another process")]
    Locked { path: PathBuf },
    #[error("cannot open {path}")]
    Open {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("a database file operation failed")]
    Sqlite(#[from] rusqlite::Error),
    #[error(transparent)]
    Damaged(#[from] Damaged),
}

/// One write command that took effect.
pub struct LogRow {
    pub db: usize,
    pub at_ms: i64,
    pub seed: u64,
    pub command: Vec<u8>,
}

pub struct Disk {
    connection: Connection,
    n_log_rows: usize,
    /// Held until the server stops or the process ends.
    _lock: File,
}

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS meta (k TEXT PRIMARY KEY, v TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS snap (
    db INTEGER NOT NULL, key BLOB NOT NULL, type TEXT NOT NULL, expire_ms INTEGER, body BLOB NOT NULL,
    PRIMARY KEY (db, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS log (
    seq INTEGER PRIMARY KEY, db INTEGER NOT NULL, at_ms INTEGER NOT NULL, seed INTEGER NOT NULL, cmd BLOB NOT NULL
);";

impl Disk {
    /// Opens or creates the file and locks it.
    ///
    /// # Errors
    ///
    /// [`DiskError::Locked`] if another process, or another server in this process, has
    /// it open.
    pub fn open(path: &Path, durability: Durability) -> Result<Self, DiskError> {
        let lock = take_lock(path)?;
        keep_private(path)?;
        let connection = Connection::open(path)?;
        let synchronous = match durability {
            Durability::Normal => "NORMAL",
            Durability::Full => "FULL",
        };
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", synchronous)?;
        connection.execute_batch(SCHEMA)?;
        let n_log_rows: i64 =
            connection.query_row("SELECT count(*) FROM log", [], |row| row.get(0))?;
        Ok(Self {
            connection,
            n_log_rows: n_log_rows as usize,
            _lock: lock,
        })
    }

    /// A value that the server stores for itself, such as the generated token.
    pub fn meta(&self, name: &str) -> Result<Option<String>, DiskError> {
        let found = self
            .connection
            .query_row("SELECT v FROM meta WHERE k = ?1", [name], |row| row.get(0))
            .optional()?;
        Ok(found)
    }

    pub fn set_meta(&self, name: &str, value: &str) -> Result<(), DiskError> {
        self.connection.execute(
            "INSERT INTO meta (k, v) VALUES (?1, ?2) ON CONFLICT (k) DO UPDATE SET v = ?2",
            [name, value],
        )?;
        Ok(())
    }

    /// The database number of a token. A new token gets the next number.
    pub fn database_of(&self, token: &str) -> Result<usize, DiskError> {
        let digest = sha1_smol::Sha1::from(token).digest().to_string();
        let name = format!("db:{digest}");
        if let Some(number) = self.meta(&name)?.and_then(|number| number.parse().ok()) {
            return Ok(number);
        }
        let number: i64 = self.connection.query_row(
            "SELECT count(*) FROM meta WHERE k LIKE 'db:%'",
            [],
            |row| row.get(0),
        )?;
        self.set_meta(&name, &number.to_string())?;
        Ok(number as usize)
    }

    /// Reads all snapshots and then passes on the log in order.
    pub fn load(
        &self,
        mut put: impl FnMut(usize, &[u8], Entry),
        mut replay: impl FnMut(LogRow, Vec<Vec<u8>>),
    ) -> Result<(), DiskError> {
        let mut statement = self
            .connection
            .prepare("SELECT db, key, type, expire_ms, body FROM snap")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (db, kind): (i64, String) = (row.get(0)?, row.get(2)?);
            let (key, body): (Vec<u8>, Vec<u8>) = (row.get(1)?, row.get(4)?);
            let entry = Entry {
                value: decode_value(&kind, &body)?,
                expire_at_ms: row.get(3)?,
            };
            put(db as usize, &key, entry);
        }
        let mut statement = self
            .connection
            .prepare("SELECT db, at_ms, seed, cmd FROM log ORDER BY seq")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (db, seed): (i64, i64) = (row.get(0)?, row.get(2)?);
            let command: Vec<u8> = row.get(3)?;
            let args = decode_command(&command)?;
            let row = LogRow {
                db: db as usize,
                at_ms: row.get(1)?,
                seed: seed as u64,
                command,
            };
            replay(row, args);
        }
        Ok(())
    }

    /// Appends rows in one transaction. They are durable when this returns.
    pub fn commit(&mut self, rows: &[LogRow]) -> Result<(), DiskError> {
        let transaction = self.connection.transaction()?;
        {
            let mut insert = transaction
                .prepare_cached("INSERT INTO log (db, at_ms, seed, cmd) VALUES (?1, ?2, ?3, ?4)")?;
            for row in rows {
                insert.execute(params![
                    row.db as i64,
                    row.at_ms,
                    row.seed as i64,
                    row.command
                ])?;
            }
        }
        transaction.commit()?;
        self.n_log_rows += rows.len();
        Ok(())
    }

    pub fn wants_compaction(&self) -> bool {
        self.n_log_rows > COMPACT_AFTER_ROWS
    }

    /// Writes the changes since the last compaction to the snapshots and empties the log.
    pub fn compact(&mut self, dbs: &mut [Database]) -> Result<(), DiskError> {
        let transaction = self.connection.transaction()?;
        for (number, db) in dbs.iter_mut().enumerate() {
            let dirty = db.take_dirty();
            if dirty.cleared {
                transaction.execute("DELETE FROM snap WHERE db = ?1", [number as i64])?;
            }
            let mut write = transaction.prepare_cached(
                "INSERT INTO snap (db, key, type, expire_ms, body) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (db, key) DO UPDATE SET type = ?3, expire_ms = ?4, body = ?5",
            )?;
            let mut delete =
                transaction.prepare_cached("DELETE FROM snap WHERE db = ?1 AND key = ?2")?;
            for key in &dirty.keys {
                match db.entry(key) {
                    Some(entry) => write.execute(params![
                        number as i64,
                        key,
                        entry.value.type_name(),
                        entry.expire_at_ms,
                        encode_value(entry)
                    ])?,
                    None => delete.execute(params![number as i64, key])?,
                };
            }
        }
        transaction.execute("DELETE FROM log", [])?;
        transaction.commit()?;
        self.n_log_rows = 0;
        Ok(())
    }
}

/// Locks a separate file, because SQLite's locks do not keep readers out.
fn take_lock(path: &Path) -> Result<File, DiskError> {
    let open_error = |source| DiskError::Open {
        path: path.to_owned(),
        source,
    };
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock = private_file(Path::new(&name)).map_err(open_error)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(DiskError::Locked {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(open_error(source)),
    }
}

/// Creates the file and SQLite's side files with owner-only permissions before anything
/// is written, because they hold the token and all data.
fn keep_private(path: &Path) -> Result<(), DiskError> {
    let open_error = |source| DiskError::Open {
        path: path.to_owned(),
        source,
    };
    // SQLite gives its side files the permissions of this file.
    private_file(path).map_err(open_error)?;
    for end in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        match restrict(Path::new(&name)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // The file belongs to another user who lets this process write to it.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                tracing::warn!(?name, "other users may be able to read the database file");
            }
            Err(error) => return Err(open_error(error)),
        }
    }
    Ok(())
}

fn restrict(path: &Path) -> io::Result<()> {
    let mode = std::fs::metadata(path)?.permissions().mode();
    match mode & 0o077 {
        0 => Ok(()),
        _ => std::fs::set_permissions(path, Permissions::from_mode(mode & 0o700)),
    }
}

fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}
