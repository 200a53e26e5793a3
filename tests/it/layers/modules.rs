//! Reads the modules of a crate from its source: what each defines, imports and names.
//!
//! Test-only items and modules (`#[cfg(test)]`) are skipped. Macros are read as the words
//! they contain.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;

/// The modules of a crate. The first is the root.
pub struct Crate {
    pub modules: Vec<Module>,
}

#[derive(Default)]
pub struct Module {
    /// Path relative to the crate's `src`.
    pub file: PathBuf,
    pub parent: Option<usize>,
    pub children: BTreeMap<String, usize>,
    pub items: BTreeSet<String>,
    pub imports: Vec<Import>,
    /// Paths used in the code; `a::b` is stored as two words.
    pub paths: BTreeSet<Vec<String>>,
}

/// One leaf of a `use`.
pub struct Import {
    /// The local name; `None` for `*`.
    pub name: Option<String>,
    pub path: Vec<String>,
    pub is_public: bool,
}

impl Crate {
    /// Reads the crate whose root is `src/lib.rs`.
    pub fn read(src: &Path) -> Crate {
        let mut modules = Crate { modules: vec![] };
        modules.read_file(src, PathBuf::from("lib.rs"), None);
        modules
    }

    fn read_file(&mut self, src: &Path, file: PathBuf, parent: Option<usize>) -> usize {
        let text = std::fs::read_to_string(src.join(&file)).unwrap();
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        let name = file.file_stem().unwrap().to_str().unwrap();
        let folder = match name {
            "lib" | "mod" => file.parent().unwrap().to_owned(),
            _ => file.with_extension(""),
        };
        self.add(src, &file, &folder, parent, parsed.items)
    }

    fn add(
        &mut self,
        src: &Path,
        file: &Path,
        folder: &Path,
        parent: Option<usize>,
        items: Vec<syn::Item>,
    ) -> usize {
        let id = self.modules.len();
        self.modules.push(Module {
            file: file.to_owned(),
            parent,
            ..Module::default()
        });
        for item in items {
            match item {
                syn::Item::Mod(module) if !is_for_tests(&module.attrs) => {
                    let name = module.ident.to_string();
                    let child = match module.content {
                        Some((_, items)) => {
                            self.add(src, file, &folder.join(&name), Some(id), items)
                        }
                        None => {
                            let alone = folder.join(format!("{name}.rs"));
                            let is_alone = src.join(&alone).is_file();
                            let in_folder = folder.join(&name).join("mod.rs");
                            let file = if is_alone { alone } else { in_folder };
                            self.read_file(src, file, Some(id))
                        }
                    };
                    self.modules[id].children.insert(name, child);
                }
                syn::Item::Mod(_) => {}
                syn::Item::Use(import) if !is_for_tests(&import.attrs) => {
                    let is_public = !matches!(import.vis, syn::Visibility::Inherited);
                    let imports = &mut self.modules[id].imports;
                    leaves(&import.tree, &mut Vec::new(), is_public, imports);
                }
                syn::Item::Use(_) => {}
                item if is_for_tests(attributes(&item)) => {}
                item => {
                    self.modules[id].items.extend(name_of(&item));
                    paths(item.into_token_stream(), &mut self.modules[id].paths);
                }
            }
        }
        id
    }
}

fn leaves(tree: &syn::UseTree, path: &mut Vec<String>, is_public: bool, found: &mut Vec<Import>) {
    let mut add = |name: Option<String>, last: Option<String>| {
        found.push(Import {
            name,
            path: path.iter().cloned().chain(last).collect(),
            is_public,
        });
    };
    match tree {
        syn::UseTree::Path(inner) => {
            path.push(inner.ident.to_string());
            leaves(&inner.tree, path, is_public, found);
            path.pop();
        }
        syn::UseTree::Name(leaf) if leaf.ident == "self" => add(path.last().cloned(), None),
        syn::UseTree::Name(leaf) => {
            add(Some(leaf.ident.to_string()), Some(leaf.ident.to_string()));
        }
        syn::UseTree::Rename(leaf) if leaf.ident == "self" => {
            add(Some(leaf.rename.to_string()), None);
        }
        syn::UseTree::Rename(leaf) => {
            add(Some(leaf.rename.to_string()), Some(leaf.ident.to_string()));
        }
        syn::UseTree::Glob(_) => add(None, None),
        syn::UseTree::Group(group) => {
            for tree in &group.items {
                leaves(tree, path, is_public, found);
            }
        }
    }
}

/// Collects every `a::b::c` in the code and every single word that is not a field or
/// method.
fn paths(tokens: TokenStream, found: &mut BTreeSet<Vec<String>>) {
    let mut path: Vec<String> = Vec::new();
    // Colons since the last word, and whether a dot precedes the next one.
    let (mut n_colons, mut after_dot) = (0, false);
    for token in tokens {
        match token {
            TokenTree::Ident(word) => {
                let word = word.to_string();
                if n_colons == 2 && !path.is_empty() {
                    path.push(word);
                } else {
                    found.insert(std::mem::take(&mut path));
                    // A path that starts with `::` belongs to another crate.
                    if !after_dot && n_colons != 2 {
                        path.push(word);
                    }
                }
                (n_colons, after_dot) = (0, false);
            }
            TokenTree::Punct(mark) if mark.as_char() == ':' => n_colons += 1,
            TokenTree::Punct(mark) => {
                found.insert(std::mem::take(&mut path));
                (n_colons, after_dot) = (0, mark.as_char() == '.');
            }
            TokenTree::Group(group) => {
                found.insert(std::mem::take(&mut path));
                (n_colons, after_dot) = (0, false);
                paths(group.stream(), found);
            }
            TokenTree::Literal(_) => {
                found.insert(std::mem::take(&mut path));
                (n_colons, after_dot) = (0, false);
            }
        }
    }
    found.insert(path);
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = attribute.to_token_stream().to_string();
        attribute.path().is_ident("test") || text.replace(' ', "") == "#[cfg(test)]"
    })
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        _ => &[],
    }
}

fn name_of(item: &syn::Item) -> Option<String> {
    let name = match item {
        syn::Item::Const(item) => &item.ident,
        syn::Item::Enum(item) => &item.ident,
        syn::Item::Fn(item) => &item.sig.ident,
        syn::Item::Static(item) => &item.ident,
        syn::Item::Struct(item) => &item.ident,
        syn::Item::Trait(item) => &item.ident,
        syn::Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}
