//! A program to measure: a built function, or its counterpart in another language.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::cases::{CASES, Case};

/// A program that uses Lambda's runtime API.
#[derive(Clone, Debug)]
pub struct Program {
    /// The name of its row in the table.
    pub name: String,
    pub side: Side,
    pub path: PathBuf,
    pub arguments: Vec<String>,
    /// Environment variables in addition to those every program gets.
    pub environment: Vec<(String, String)>,
    pub event: &'static str,
    /// Size of the binary, if there is one.
    pub size_bytes: Option<u64>,
    /// Whether it reads secrets from SSM when it is given parameter names.
    pub takes_parameters: bool,
}

/// The language side a program belongs to.
#[derive(Clone, Copy, Debug)]
pub enum Side {
    Function(Case),
    Node,
    Python,
}

/// A setting that holds a parameter name. Binaries that support parameters contain it.
const PARAMETER_SETTING: &[u8] = b"UPSTASH_REDIS_REST_TOKEN_PARAMETER";

impl Program {
    /// The function of `case`, built at `path`.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn function(case: Case, path: &Path) -> anyhow::Result<Program> {
        let binary = std::fs::read(path);
        let binary = binary.with_context(|| format!("cannot read {}", path.display()))?;
        let names = binary.windows(PARAMETER_SETTING.len());
        Ok(Program {
            name: case.name.to_owned(),
            side: Side::Function(case),
            path: path.to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            event: case.event,
            size_bytes: Some(binary.len() as u64),
            takes_parameters: { names }.any(|name| name == PARAMETER_SETTING),
        })
    }
}

/// All functions in `folder`, or only those in `wanted`.
///
/// # Errors
/// If a name is unknown or a function is not built. The message explains how to build it.
pub fn functions(folder: &Path, wanted: &[String]) -> anyhow::Result<Vec<Program>> {
    if let Some(name) = wanted.iter().find(|name| Case::of(name).is_none()) {
        let known: Vec<&str> = CASES.iter().map(|case| case.name).collect();
        bail!(
            "unknown function {name}; the functions are {}",
            known.join(", ")
        );
    }
    let is_wanted = |case: &Case| wanted.is_empty() || wanted.iter().any(|name| name == case.name);
    let mut programs = Vec::new();
    let mut missing = Vec::new();
    for case in CASES.into_iter().filter(is_wanted) {
        match built(folder, case.name) {
            Some(path) => programs.push(Program::function(case, &path)?),
            None => missing.push(case.name),
        }
    }
    if !missing.is_empty() {
        bail!(
            "not built in {}: {}\nBuild them one at a time, as for deployment; in a joint build, each \
             function gets the features of all:\n  for name in {}; do cargo build --release -p \
             $name; done",
            folder.display(),
            missing.join(", "),
            missing.join(" "),
        );
    }
    Ok(programs)
}

/// Finds a function where cargo or cargo-lambda puts it.
fn built(folder: &Path, name: &str) -> Option<PathBuf> {
    let places = [folder.join(name), folder.join(name).join("bootstrap")];
    places.into_iter().find(|place| place.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_built_is_named_with_how_to_build_it() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = ["health".to_owned(), "drain".to_owned()];
        let told = functions(folder.path(), &wanted).unwrap_err().to_string();
        assert!(told.contains(": drain, health\n"), "{told}");
        assert!(told.contains("for name in drain health; do cargo build --release -p $name"));
    }

    #[test]
    fn a_function_nobody_knows_is_refused_with_those_there_are() {
        let told = functions(Path::new("."), &["halth".to_owned()]).unwrap_err();
        assert!(
            told.to_string()
                .contains("the functions are admin, clips, drain")
        );
    }

    #[test]
    fn binaries_are_found_as_cargo_and_as_cargo_lambda_leave_them() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("health"), b"as cargo").unwrap();
        std::fs::create_dir(folder.path().join("jobs")).unwrap();
        let text = b"\0UPSTASH_REDIS_REST_TOKEN_PARAMETER\0";
        std::fs::write(folder.path().join("jobs/bootstrap"), text).unwrap();
        let wanted = ["health".to_owned(), "jobs".to_owned()];
        let found = functions(folder.path(), &wanted).unwrap();
        assert_eq!(found[0].size_bytes, Some(8));
        assert!(!found[0].takes_parameters && found[1].takes_parameters);
    }
}
