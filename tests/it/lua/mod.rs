//! The headers of the Lua files are true, and a script contains only what it uses.

mod code;
mod file;
mod sent;
mod tokens;

use std::collections::BTreeMap;

use shared::redis::Script;

use file::{File, Names};

/// All scripts, by folder.
fn folders() -> [(&'static str, &'static [&'static Script]); 7] {
    [
        ("queue", shared::queue::SCRIPTS),
        ("rate_limiter", shared::rate_limiter::ALL),
        ("scan", shared::scan::SCRIPTS),
        ("session", shared::session::SCRIPTS),
        ("counters", shared::counters::SCRIPTS),
        ("schedules", shared::schedules::SCRIPTS),
        ("uploads", shared::uploads::SCRIPTS),
    ]
}

/// The files of a folder, by name.
fn files(scripts: &[&Script]) -> BTreeMap<&'static str, File> {
    let listed = scripts[0].files().iter();
    listed
        .map(|(name, text)| (*name, File::read(name, text)))
        .collect()
}

#[test]
fn a_header_says_what_the_file_needs_and_what_it_defines() {
    for (folder, scripts) in folders() {
        let files = files(scripts);
        for file in files.values() {
            let place = format!("{folder}/{}.lua", file.name);
            let mut needed = Names::new();
            for (from, names) in &file.needs {
                let from = files
                    .get(from.as_str())
                    .unwrap_or_else(|| panic!("{place} needs {from}, which is no file"));
                let missing: Vec<_> = names.difference(&from.defines).collect();
                assert!(
                    missing.is_empty(),
                    "{place} needs {missing:?} of {}, which does not define that",
                    from.name
                );
                needed.extend(names.iter().cloned());
            }
            let mut used = file.uses();
            used.extend(uses_of_tx(file));
            let used: Names = used.difference(&file.wraps).cloned().collect();
            let unsaid: Vec<_> = used.difference(&needed).collect();
            assert!(
                unsaid.is_empty(),
                "{place} uses {unsaid:?}: add it to `Needs`"
            );
            let unused: Vec<_> = needed.difference(&used).collect();
            assert!(
                unused.is_empty(),
                "{place} says it needs {unused:?}, and does not"
            );

            let declared =
                |name: &&String| file.locals.contains(*name) || file.assigned.contains(*name);
            let missing: Vec<_> = file.defines.iter().filter(|name| !declared(name)).collect();
            assert!(missing.is_empty(), "{place} does not define {missing:?}");
        }
    }
}

/// A file that adds fields to `tx` needs the table.
fn uses_of_tx(file: &File) -> Option<String> {
    let adds = file.defines.iter().any(|name| name.starts_with("tx."));
    (adds && !file.defines.contains("tx")).then(|| "tx".to_owned())
}

#[test]
fn a_file_changes_nothing_of_another_but_fields_of_tx() {
    for (folder, scripts) in folders() {
        for file in files(scripts).values() {
            let foreign = file.assigned.iter().find(|name| !name.starts_with("tx."));
            assert_eq!(foreign, None, "{folder}/{}.lua sets it", file.name);
        }
    }
}

#[test]
fn what_files_of_the_queue_share_is_a_function_a_constant_or_a_field_of_tx() {
    for (folder, scripts) in &folders()[..1] {
        for file in files(scripts).values() {
            let shared = file.defines.iter().filter(|name| {
                let is_constant = name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
                let is_function = file.functions.contains_key(*name) || *name == "call";
                !is_constant && !is_function && !name.starts_with("tx")
            });
            let shared: Vec<_> = shared.collect();
            assert!(shared.is_empty(), "{folder}/{}.lua: {shared:?}", file.name);
        }
    }
}

#[test]
fn the_files_of_a_script_are_in_the_order_of_their_needs_and_share_no_names() {
    for (folder, scripts) in folders() {
        let files = files(scripts);
        for script in scripts {
            let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
            let mut before = Vec::new();
            for (name, _) in script.parts() {
                let file = &files[name];
                // The script that it wraps is inside a function, so its names stay there.
                if !file.wraps.is_empty() {
                    seen.clear();
                }
                for needed in file.needs.keys() {
                    assert!(
                        before.contains(&needed.as_str()),
                        "{folder}: {name} needs {needed} before it: they need each other"
                    );
                }
                for local in &file.locals {
                    let other = seen.insert(local, name);
                    assert_eq!(other, None, "{folder}: {name} declares {local} as well");
                }
                before.push(name);
            }
        }
    }
}

#[test]
fn every_file_belongs_to_a_script_and_says_what_it_is_for() {
    for (folder, scripts) in folders() {
        for file in files(scripts).values() {
            let place = format!("{folder}/{}.lua", file.name);
            let mut parts = scripts.iter().flat_map(|script| script.parts());
            let belongs = parts.any(|(name, _)| name == file.name);
            assert!(belongs, "no script carries {place}");
            let returns = file.returns.as_deref();
            let returns = returns.unwrap_or_else(|| panic!("{place}: `-- Returns` is missing"));
            let is_main = file.defines.is_empty();
            assert_eq!(
                returns != "-- Returns nothing: definitions only.",
                is_main,
                "{place}: a script says what it returns, any other file what it defines"
            );
        }
        for (name, text) in scripts[0].files() {
            let first = text.lines().next().unwrap();
            assert!(
                first.starts_with(&format!("-- {name}: ")),
                "{name}: {first}"
            );
        }
        let listed = scripts[0].files().len();
        let stored = std::fs::read_dir(folder_of(folder)).unwrap().count();
        assert_eq!(listed, stored, "{folder}: a file that is not listed");
    }
}

fn folder_of(folder: &str) -> String {
    let layer = match folder {
        "scan" | "schedules" | "uploads" => "domain",
        _ => "services",
    };
    format!(
        "{}/../shared/src/{layer}/{folder}/scripts",
        env!("CARGO_MANIFEST_DIR")
    )
}
