//! The same work as `health` in other languages, with Upstash's own clients.
//!
//! The programs and the exact versions of their dependencies are compiled into this one
//! and installed next to it, in the target folder.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, bail};
use tokio::process::Command;

use super::cases;
use super::program::{Program, Side};
use crate::measure::{Package, install};

const NODE: Package = Package {
    name: "@upstash/redis",
    files: &[
        (
            "package.json",
            include_str!("../../bench/node/package.json"),
        ),
        (
            "package-lock.json",
            include_str!("../../bench/node/package-lock.json"),
        ),
        ("handler.mjs", include_str!("../../bench/node/handler.mjs")),
    ],
};

const REQUIREMENTS: &str = include_str!("../../bench/python/requirements.txt");
/// AWS's runtime client, which has no wheel for some systems.
const RUNTIME: &str = include_str!("../../bench/python/runtime.txt");
const PYTHON: [(&str, &str); 4] = [
    ("requirements.txt", REQUIREMENTS),
    ("runtime.txt", RUNTIME),
    ("handler.py", include_str!("../../bench/python/handler.py")),
    ("by_hand.py", include_str!("../../bench/python/by_hand.py")),
];

/// The file that records what has been installed.
const INSTALLED: &str = "installed";

/// Prepares the Node handler.
///
/// # Errors
/// If Node is missing or the packages cannot be installed.
pub async fn node() -> anyhow::Result<Program> {
    let folder = install(&NODE, "bench-node").await?;
    let what = "console.log(process.execPath + '\\n' + process.versions.node)";
    let (path, version) = interpreter("node", "-e", what).await?;
    Ok(Program {
        name: format!("Node {version}"),
        side: Side::Node,
        path,
        arguments: vec![folder.join("handler.mjs").display().to_string()],
        environment: Vec::new(),
        event: cases::health(),
        size_bytes: None,
        takes_parameters: false,
    })
}

/// Prepares the Python handler.
///
/// # Errors
/// If Python is missing or the packages cannot be installed.
pub async fn python() -> anyhow::Result<Program> {
    // Asks for the interpreter itself: `python3` on the path may be a wrapper script.
    let what = "import platform, sys; print(sys.executable); print(platform.python_version())";
    let (path, version) = interpreter("python3", "-c", what).await?;
    let folder = std::env::current_exe()?.with_file_name("bench-python");
    let packages = folder.join("packages");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    for (name, text) in PYTHON {
        std::fs::write(folder.join(name), text)?;
    }
    let all = format!("{version}\n{REQUIREMENTS}{RUNTIME}");
    let told = folder.join(INSTALLED);
    if !std::fs::read_to_string(&told).is_ok_and(|there| there == all) {
        match std::fs::remove_dir_all(&packages) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => pip(&path, &folder, "requirements.txt").await?,
        }
        // Without it, a hand-written event loop does the same job.
        let runtime = pip(&path, &folder, "runtime.txt").await;
        if let Err(error) = runtime {
            eprintln!("note      {error:#}; using a hand-written event loop instead");
        }
        std::fs::write(&told, all)?;
    }
    let words: &[&str] = match packages.join("awslambdaric").is_dir() {
        true => &["-m", "awslambdaric", "handler.handle"],
        false => &["-m", "by_hand"],
    };
    let search = std::env::join_paths([&folder, &packages])?;
    Ok(Program {
        name: format!("Python {version}"),
        side: Side::Python,
        path,
        arguments: words.iter().map(|word| (*word).to_owned()).collect(),
        environment: vec![(
            "PYTHONPATH".to_owned(),
            search.to_string_lossy().into_owned(),
        )],
        event: cases::health(),
        size_bytes: None,
        takes_parameters: false,
    })
}

/// Returns the path and the version of the interpreter `name`, which prints them when
/// called with `word` and `what`.
async fn interpreter(name: &str, word: &str, what: &str) -> anyhow::Result<(PathBuf, String)> {
    let asked = Command::new(name).args([word, what]).output().await;
    let output = match asked {
        Ok(output) if output.status.success() => output,
        Ok(output) => bail!("`{name}` does not work: {}", output.status),
        Err(error) if error.kind() == ErrorKind::NotFound => bail!("`{name}` is not installed"),
        Err(error) => return Err(error).context(format!("cannot start `{name}`")),
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines = text.lines();
    let (path, version) = lines.next().zip(lines.next()).unwrap_or_default();
    Ok((PathBuf::from(path), version.to_owned()))
}

/// Installs the packages listed in the file `list`.
async fn pip(python: &Path, folder: &Path, list: &str) -> anyhow::Result<()> {
    let words = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ];
    let output = Command::new(python)
        .args(words)
        .args(["--only-binary", ":all:", "--target", "packages", "-r", list])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .await?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        let last = told.lines().rfind(|line| !line.trim().is_empty());
        bail!("pip cannot install {list}: {}", last.unwrap_or_default());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_for_node_are_exact_and_the_same_in_both_files() {
        let [package, lock] = [NODE.files[0].1, NODE.files[1].1]
            .map(|text| serde_json::from_str::<serde_json::Value>(text).unwrap());
        for (name, version) in package["dependencies"].as_object().unwrap() {
            let locked = &lock["packages"][format!("node_modules/{name}")]["version"];
            assert_eq!(locked, version, "{name}");
        }
    }

    #[test]
    fn the_versions_for_python_are_exact() {
        for line in REQUIREMENTS.lines().chain(RUNTIME.lines()) {
            assert!(line.contains("=="), "{line}");
        }
    }
}
