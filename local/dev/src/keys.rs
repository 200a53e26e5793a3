//! The keys of a system that belongs to one machine: made once for each data folder and
//! kept there. Two folders have different ones, and nobody finds them in a document.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use upstash_local::random_secret;

/// In the data folder; its owner alone may read it.
const FILE: &str = "keys.json";

/// What callers and functions show.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Keys {
    pub api_key: String,
    pub admin_key: String,
    pub database_token: String,
}

impl Keys {
    /// The keys of a folder. They and the folder are made where there are none.
    ///
    /// # Errors
    /// When the folder cannot be written or what it holds cannot be read.
    pub fn of(folder: &Path) -> anyhow::Result<Keys> {
        if let Some(keys) = Keys::read(folder)? {
            return Ok(keys);
        }
        let mut builder = std::fs::DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(folder);
        made.with_context(|| format!("cannot create {}", folder.display()))?;
        let keys = Keys {
            api_key: format!("api-{}", random_secret()?),
            admin_key: format!("admin-{}", random_secret()?),
            database_token: random_secret()?,
        };
        let path = folder.join(FILE);
        let written = || -> std::io::Result<()> {
            // With the permissions of a secret from the first byte on, and whole or not at all.
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            serde_json::to_writer_pretty(&mut file, &keys)?;
            file.write_all(b"\n")?;
            file.persist_noclobber(&path)?;
            Ok(())
        };
        match (written(), Keys::read(folder)?) {
            // Perhaps those of another that started at the same time.
            (_, Some(keys)) => Ok(keys),
            (Ok(()), None) => Ok(keys),
            (Err(error), None) => {
                Err(error).with_context(|| format!("cannot write {}", path.display()))
            }
        }
    }

    /// The keys of a folder, if it has any.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn read(folder: &Path) -> anyhow::Result<Option<Keys>> {
        let path = folder.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        let keys = serde_json::from_str(&text).with_context(|| {
            format!(
                "{} holds no keys; without it, new ones are made",
                path.display()
            )
        })?;
        let permissions = std::fs::metadata(&path)?.permissions();
        if permissions.mode() & 0o077 != 0 {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        }
        Ok(Some(keys))
    }
}
