//! The generated keys of a local system. Each data folder gets its own random keys, so no
//! key from the documentation works anywhere.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use upstash_local::random_secret;

/// File in the data folder, readable only by its owner.
const FILE: &str = "keys.json";

/// The keys of one data folder.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Keys {
    pub api_key: String,
    pub admin_key: String,
    pub database_token: String,
}

impl Keys {
    /// Reads the keys of a folder. Creates the folder and the keys if they do not exist.
    ///
    /// # Errors
    /// If the folder cannot be written or the key file cannot be read.
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
            // Created with owner-only permissions and moved into place as a whole.
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            serde_json::to_writer_pretty(&mut file, &keys)?;
            file.write_all(b"\n")?;
            file.persist_noclobber(&path)?;
            Ok(())
        };
        match (written(), Keys::read(folder)?) {
            // Another process may have created them at the same moment; its keys win.
            (_, Some(keys)) => Ok(keys),
            (Ok(()), None) => Ok(keys),
            (Err(error), None) => {
                Err(error).with_context(|| format!("cannot write {}", path.display()))
            }
        }
    }

    /// Reads the keys of a folder, if it has any.
    ///
    /// # Errors
    /// If the key file cannot be read.
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
                "{} is not a valid key file; delete it to generate new keys",
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
