//! How many bytes are sent for a script.

use std::collections::{BTreeMap, BTreeSet};

use shared::redis::Script;

use super::file::{File, Names};
use super::{files, folders};
use crate::golden;

#[test]
fn a_script_is_sent_without_comments_and_carries_only_what_it_uses() {
    let mut rows = Vec::new();
    for (folder, scripts) in folders() {
        let files = files(scripts);
        for script in scripts {
            let unused = unused(script, &files);
            let n_unused: usize = unused.iter().map(|(_, lines)| lines).sum();
            let names: Vec<&str> = unused.iter().map(|(name, _)| *name).collect();
            let n_lines = script.text().lines().count() - 1;
            let row = format!(
                "{folder} {}: {n_lines} lines, {n_unused} of them not used {}",
                script.name,
                names.join(" ")
            );
            rows.push(row.trim_end().to_owned());
        }
    }
    golden("script-lines", &rows);
}

/// Functions that a script contains but never calls, with their number of lines.
fn unused<'a>(script: &Script, files: &'a BTreeMap<&str, File>) -> Vec<(&'a str, usize)> {
    let parts: Vec<&File> = script
        .parts()
        .iter()
        .map(|(name, _)| &files[name])
        .collect();
    let function = |name: &str| parts.iter().find_map(|file| file.functions.get(name));
    let mut used: BTreeSet<&String> = parts.iter().flat_map(|f| &f.used_at_once).collect();
    let mut left: Vec<&String> = used.iter().copied().collect();
    while let Some(name) = left.pop() {
        let uses: Option<&Names> = function(name).map(|function| &function.uses);
        for name in uses.into_iter().flatten() {
            if used.insert(name) {
                left.push(name);
            }
        }
    }
    let carried = parts.iter().flat_map(|file| &file.functions);
    carried
        .filter(|(name, _)| !used.contains(name))
        .map(|(name, function)| (name.as_str(), function.n_lines))
        .collect()
}
