//! The import graph of a crate's files, and its cycles.
//!
//! An edge leads to the file that *defines* a name, found through all re-exports.
//! Therefore none of these is an import: a `mod` line, a `pub use` of something that the
//! module's own children define, and a name that only says which module the next word is
//! in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::modules::{Crate, Import};

/// The imports between a crate's files, with the imported names.
#[derive(Default)]
pub struct Graph {
    pub imports: BTreeMap<PathBuf, BTreeMap<PathBuf, BTreeSet<String>>>,
}

#[derive(Clone, Copy)]
enum Target {
    Module(usize),
    /// An item that this module defines.
    Item(usize),
}

/// Maximum length of a chain of re-exports that is followed.
const DEPTH: u32 = 12;

impl Graph {
    pub fn of(source: &Crate) -> Graph {
        let mut graph = Graph::default();
        for (id, module) in source.modules.iter().enumerate() {
            for import in &module.imports {
                let found = resolve(source, id, &import.path, DEPTH);
                let is_glob = import.name.is_none();
                let (defined_in, target) = match found {
                    Some(Target::Item(other)) => (other, other),
                    Some(Target::Module(other)) if is_glob => (other, other),
                    _ => continue,
                };
                if import.is_public && is_below(source, target, id) {
                    continue;
                }
                graph.add(source, id, defined_in, &import.path);
            }
            for path in &module.paths {
                if let Some(Target::Item(other)) = resolve(source, id, path, DEPTH) {
                    graph.add(source, id, other, path);
                }
            }
        }
        graph
    }

    /// The same graph without imports from the roots of the modules that contain a file.
    pub fn without_roots(source: &Crate) -> Graph {
        let mut graph = Graph::of(source);
        for module in &source.modules {
            let Some(imports) = graph.imports.get_mut(&module.file) else {
                continue;
            };
            let mut above = module.parent;
            while let Some(id) = above {
                imports.remove(&source.modules[id].file);
                above = source.modules[id].parent;
            }
        }
        graph
    }

    fn add(&mut self, source: &Crate, from: usize, to: usize, path: &[String]) {
        let (from, to) = (&source.modules[from].file, &source.modules[to].file);
        if from != to {
            let imports = self.imports.entry(from.clone()).or_default();
            let names = imports.entry(to.clone()).or_default();
            names.insert(path.last().cloned().unwrap_or_default());
        }
    }

    /// Groups of files that import each other, each shown as one shortest cycle.
    pub fn circles(&self) -> Vec<Vec<PathBuf>> {
        let mut circles: Vec<Vec<PathBuf>> = Vec::new();
        let mut seen: BTreeSet<&PathBuf> = BTreeSet::new();
        for file in self.imports.keys() {
            if seen.contains(file) {
                continue;
            }
            if let Some(circle) = self.shortest_circle(file) {
                let reached = self.reached(file);
                // Files that all reach each other form one group.
                let group = reached
                    .iter()
                    .filter(|other| self.reached(other).contains(file));
                seen.extend(group);
                circles.push(circle);
            }
        }
        circles
    }

    fn reached<'a>(&'a self, from: &PathBuf) -> BTreeSet<&'a PathBuf> {
        let mut reached = BTreeSet::new();
        let mut left: Vec<&PathBuf> = self.next(from).collect();
        while let Some(file) = left.pop() {
            if reached.insert(file) {
                left.extend(self.next(file));
            }
        }
        reached
    }

    fn next(&self, file: &PathBuf) -> impl Iterator<Item = &PathBuf> {
        self.imports
            .get(file)
            .into_iter()
            .flat_map(|imports| imports.keys())
    }

    fn shortest_circle(&self, start: &PathBuf) -> Option<Vec<PathBuf>> {
        let mut came_from: BTreeMap<&PathBuf, &PathBuf> = BTreeMap::new();
        let mut layer: Vec<&PathBuf> = vec![start];
        while !layer.is_empty() {
            let mut following = Vec::new();
            for file in layer {
                for next in self.next(file) {
                    if next == start {
                        let mut circle = vec![start.clone()];
                        let mut at = file;
                        while at != start {
                            circle.insert(0, at.clone());
                            at = came_from[at];
                        }
                        circle.insert(0, start.clone());
                        return Some(circle);
                    }
                    if !came_from.contains_key(next) {
                        came_from.insert(next, file);
                        following.push(next);
                    }
                }
            }
            layer = following;
        }
        None
    }

    /// Describes a cycle, with the names that each file imports from the next.
    pub fn describe(&self, circle: &[PathBuf]) -> String {
        let steps = circle.windows(2).map(|pair| {
            let names: Vec<&str> = self.imports[&pair[0]][&pair[1]]
                .iter()
                .map(String::as_str)
                .collect();
            let (from, to) = (pair[0].display(), pair[1].display());
            format!("{from} imports {} from {to}", names.join(", "))
        });
        steps.collect::<Vec<_>>().join("\n    ")
    }
}

fn is_below(source: &Crate, module: usize, ancestor: usize) -> bool {
    let mut at = Some(module);
    while let Some(id) = at {
        if id == ancestor {
            return true;
        }
        at = source.modules[id].parent;
    }
    false
}

/// Resolves a path as seen from a module. `None` for names of other crates and words that
/// name nothing here.
fn resolve(source: &Crate, from: usize, path: &[String], depth: u32) -> Option<Target> {
    let (first, rest) = path.split_first()?;
    let mut found = match first.as_str() {
        "crate" => Target::Module(0),
        "self" => Target::Module(from),
        "super" => Target::Module(source.modules[from].parent?),
        name => look_up(source, from, name, !rest.is_empty(), depth)?,
    };
    for (place, name) in rest.iter().enumerate() {
        let Target::Module(module) = found else {
            return Some(found);
        };
        found = match name.as_str() {
            "super" => Target::Module(source.modules[module].parent?),
            "self" => found,
            name => look_up(source, module, name, place + 1 < rest.len(), depth)?,
        };
    }
    Some(found)
}

/// A module and a function may share a name. A name followed by others is the module.
fn look_up(
    source: &Crate,
    module: usize,
    name: &str,
    is_followed: bool,
    depth: u32,
) -> Option<Target> {
    let depth = depth.checked_sub(1)?;
    let inside = &source.modules[module];
    if is_followed && let Some(child) = inside.children.get(name) {
        return Some(Target::Module(*child));
    }
    if inside.items.contains(name) {
        return Some(Target::Item(module));
    }
    let is_called = |import: &&Import| import.name.as_deref() == Some(name);
    if let Some(import) = inside.imports.iter().find(is_called) {
        // `use chrono::chrono` would look up itself; the depth limit ends that.
        if import.path.first().map(String::as_str) != Some(name) || import.path.len() > 1 {
            let found = resolve_import(source, module, import, depth);
            if found.is_some() {
                return found;
            }
        }
    }
    if let Some(child) = inside.children.get(name) {
        return Some(Target::Module(*child));
    }
    let globs = inside.imports.iter().filter(|import| import.name.is_none());
    globs
        .filter_map(|glob| match resolve_import(source, module, glob, depth)? {
            Target::Module(other) if other != module => {
                look_up(source, other, name, is_followed, depth)
            }
            _ => None,
        })
        .next()
}

/// The first word of an import is a local module or a crate, never another import.
fn resolve_import(source: &Crate, module: usize, import: &Import, depth: u32) -> Option<Target> {
    let first = import.path.first()?;
    let is_ours = matches!(first.as_str(), "crate" | "self" | "super")
        || source.modules[module].children.contains_key(first);
    let is_module_of_other_import = source.modules[module]
        .imports
        .iter()
        .any(|other| other.name.as_ref() == Some(first) && other.path != import.path);
    if !is_ours && !is_module_of_other_import {
        return None;
    }
    resolve(source, module, &import.path, depth)
}
