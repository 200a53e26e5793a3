//! Installs Node programs and the packages they need.
//!
//! The programs and the exact versions of their packages are compiled into this program
//! and installed next to it, in the target folder.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use tokio::process::Command;

/// The last file that npm writes; it lists the installed versions.
const INSTALLED: &str = "node_modules/.package-lock.json";

/// A program for Node.
pub struct Package {
    /// The name used in error messages.
    pub name: &'static str,
    /// Its files by name, including `package.json` and `package-lock.json`.
    pub files: &'static [(&'static str, &'static str)],
}

/// Installs the package in its own folder next to this program, unless it is already
/// there.
///
/// # Errors
/// If Node or npm is missing, or the packages cannot be downloaded.
pub async fn install(package: &Package, folder: &str) -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().context("cannot find the path of this program")?;
    let folder = program.with_file_name(folder);
    let node = command("node", Path::new(".")).arg("--version").output();
    node.await.map_err(|error| missing(error, "node"))?;
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    let mut changed = !folder.join(INSTALLED).is_file();
    for (name, text) in package.files {
        let path = folder.join(name);
        if std::fs::read_to_string(&path).is_ok_and(|there| there == *text) {
            continue;
        }
        changed |= name.starts_with("package");
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if changed {
        // Not `npm ci`, which refuses a lock file without the optional packages of other
        // systems.
        let words = [
            "install",
            "--no-save",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
        ];
        let npm = command("npm", &folder).args(words).output().await;
        let npm = npm.map_err(|error| missing(error, "npm"))?;
        if !npm.status.success() {
            let told = String::from_utf8_lossy(&npm.stderr);
            let told: Vec<&str> = told
                .lines()
                .filter_map(|line| line.strip_prefix("npm error "))
                .take(6)
                .collect();
            bail!(
                "npm could not install {}:\n{}",
                package.name,
                told.join("\n")
            );
        }
    }
    Ok(folder)
}

fn command(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(name);
    command.current_dir(folder).kill_on_drop(true);
    command
}

/// Explains why the program `name` could not be started.
pub fn missing(error: std::io::Error, name: &str) -> anyhow::Error {
    match error.kind() {
        ErrorKind::NotFound => {
            anyhow::anyhow!("`{name}` is not installed: install Node.js 20 or newer with npm")
        }
        _ => anyhow::Error::new(error).context(format!("cannot start `{name}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named() {
        let error = missing(std::io::Error::from(ErrorKind::NotFound), "npm");
        assert!(error.to_string().starts_with("`npm` is not installed"));
    }
}
