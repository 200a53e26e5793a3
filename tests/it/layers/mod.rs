//! No files import each other in a cycle, and a layer uses only the layers above it.
//!
//! Each local crate is read from its source. An import leads to the file that *defines*
//! the name, through all re-exports. In a cycle, no file can be understood, tested or
//! moved without the others. To break one, move what both files need into a file of its
//! own.
//!
//! `graph` defines what counts as an import. Two exceptions are allowed:
//!
//! - in a function's crate, a file may use what the root of its own module defines, such
//!   as the `State` in `lib.rs` that every handler takes;
//! - `local/upstash` may keep the cycles it had, but may not add any.

mod graph;
mod modules;

use std::path::{Component, Path, PathBuf};

use graph::Graph;
use modules::Crate;

/// The layers of `shared`. Each uses only those before it.
const LAYERS: [&str; 6] = ["base", "redis", "services", "domain", "web", "start"];

/// Services that may use another service: the metrics report what the cache counts.
const BETWEEN_SERVICES: [(&str, &str); 1] = [("metrics", "cache")];

/// Number of import cycles in `local/upstash`. Lower it when one is broken.
const CIRCLES_OF_UPSTASH: usize = 4;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn graph(folder: &str) -> Graph {
    let source = Crate::read(&root().join(folder).join("src"));
    match folder.starts_with("functions/") {
        true => Graph::without_roots(&source),
        false => Graph::of(&source),
    }
}

fn crates() -> Vec<String> {
    let mut crates = ["shared", "local/discord", "local/dev"]
        .map(str::to_owned)
        .to_vec();
    for entry in std::fs::read_dir(root().join("functions")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        crates.push(format!("functions/{name}"));
    }
    crates
}

#[test]
fn no_files_import_each_other_in_a_cycle() {
    let mut found = Vec::new();
    for folder in crates() {
        let graph = graph(&folder);
        let circles = graph.circles();
        let described = circles.iter().map(|circle| graph.describe(circle));
        found.extend(described.map(|circle| format!("{folder}:\n    {circle}")));
    }
    assert!(found.is_empty(), "circles:\n  {}", found.join("\n  "));
}

#[test]
fn the_endpoint_has_no_new_import_cycles() {
    let graph = graph("local/upstash");
    let circles = graph.circles();
    let described: Vec<String> = circles
        .iter()
        .map(|circle| graph.describe(circle))
        .collect();
    assert_eq!(
        circles.len(),
        CIRCLES_OF_UPSTASH,
        "fewer is better: then lower the number\n  {}",
        described.join("\n  ")
    );
}

#[test]
fn a_layer_of_shared_uses_only_those_above_it() {
    let graph = graph("shared");
    let mut wrong = Vec::new();
    for (from, imports) in &graph.imports {
        for (to, names) in imports {
            let (Some(layer), Some(used)) = (layer(from), layer(to)) else {
                continue;
            };
            let (own, other) = (part(from, 1), part(to, 1));
            let is_between_services = layer == used
                && LAYERS[layer] == "services"
                && own != other
                && !BETWEEN_SERVICES.contains(&(own.as_str(), other.as_str()));
            if used > layer || is_between_services {
                wrong.push(format!(
                    "{} imports {names:?} from {}",
                    from.display(),
                    to.display()
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "against the layers:\n  {}",
        wrong.join("\n  ")
    );
}

/// The layer of a file. `None` for `lib.rs`, which names all layers.
fn layer(file: &Path) -> Option<usize> {
    let name = part(file, 0);
    LAYERS.iter().position(|layer| *layer == name)
}

/// One component of a path, without `.rs`.
fn part(file: &Path, place: usize) -> String {
    let component = file.components().nth(place);
    let name = component.map(Component::as_os_str).unwrap_or_default();
    let name = Path::new(name).file_stem().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// A crate written for the test.
fn written(files: &[(&str, &str)]) -> Graph {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    Graph::of(&Crate::read(folder.path()))
}

#[test]
fn a_cycle_is_found_through_re_exports_and_paths_in_the_code() {
    let graph = written(&[
        ("lib.rs", "mod a; mod b; pub use a::A;"),
        ("a.rs", "pub struct A; pub fn f() { crate::b::g(); }"),
        ("b.rs", "use crate::A; pub fn g() -> A { A }"),
    ]);
    let circles = graph.circles();
    assert_eq!(circles.len(), 1);
    let described = graph.describe(&circles[0]);
    assert!(
        described.contains("a.rs imports g from b.rs"),
        "{described}"
    );
    assert!(
        described.contains("b.rs imports A from a.rs"),
        "{described}"
    );
}

#[test]
fn declarations_re_exports_and_tests_are_not_imports() {
    let graph = written(&[
        ("lib.rs", "pub mod queue;"),
        (
            "queue/mod.rs",
            "mod job; mod keys; pub use job::Job; pub use keys::*;",
        ),
        ("queue/job.rs", "use super::Keys; pub struct Job(Keys);"),
        (
            "queue/keys.rs",
            "pub struct Keys; #[cfg(test)] mod tests { use super::super::Job; }",
        ),
    ]);
    assert_eq!(graph.circles(), Vec::<Vec<PathBuf>>::new());
    assert_eq!(graph.imports.len(), 1);
}

#[test]
fn a_child_and_a_parent_that_use_each_other_form_a_cycle() {
    let files = [
        (
            "lib.rs",
            "mod child; pub struct State; fn f() { child::g(); }",
        ),
        (
            "child.rs",
            "use crate::State; pub fn g() {} fn h(_: State) {}",
        ),
    ];
    assert_eq!(written(&files).circles().len(), 1);
}
