//! A Lua file: what its header declares, and which names its code defines and uses.
//!
//! Names are resolved by blocks, as in Lua. The fields of the table `tx` count as names
//! of their own, such as `tx.now`, because files share them.

use std::collections::{BTreeMap, BTreeSet};

use super::code;
use super::tokens::tokens;

pub type Names = BTreeSet<String>;

pub struct File {
    pub name: &'static str,
    /// The names needed from each other file.
    pub needs: BTreeMap<String, Names>,
    pub defines: Names,
    /// The function that wraps a script, if this file contains it.
    pub wraps: Names,
    /// The line that describes the result.
    pub returns: Option<String>,
    /// Names declared outside any block.
    pub locals: Names,
    /// The functions among them.
    pub functions: BTreeMap<String, Function>,
    /// Names and fields of `tx` that it sets.
    pub assigned: Names,
    /// Names used outside its functions.
    pub used_at_once: Names,
}

#[derive(Default)]
pub struct Function {
    pub uses: Names,
    pub n_lines: usize,
}

impl File {
    pub fn read(name: &'static str, text: &'static str) -> File {
        let mut file = File {
            name,
            needs: BTreeMap::new(),
            defines: Names::new(),
            wraps: Names::new(),
            returns: None,
            locals: Names::new(),
            functions: BTreeMap::new(),
            assigned: Names::new(),
            used_at_once: Names::new(),
        };
        for line in text.lines().take_while(|line| line.starts_with("--")) {
            file.read_header(line);
        }
        code::read(&tokens(text), &mut file);
        file
    }

    fn read_header(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("-- Needs: ") {
            let (file, names) = rest
                .split_once(" (")
                .expect("a file, and names in parentheses");
            let names = names.strip_suffix(')').expect("a closing parenthesis");
            let needed = self.needs.entry(file.to_owned()).or_default();
            needed.extend(names.split(", ").map(str::to_owned));
        } else if let Some(rest) = line.strip_prefix("-- Defines: ") {
            self.defines.extend(defined(rest));
        } else if let Some(rest) = line.strip_prefix("-- Wraps: ") {
            self.wraps.extend(defined(rest));
        } else if line.starts_with("-- Returns ") {
            self.returns = Some(line.to_owned());
        }
    }

    /// All names that it uses but does not declare.
    pub fn uses(&self) -> Names {
        let used = self.functions.values().flat_map(|function| &function.uses);
        let used = used.chain(&self.used_at_once).chain(&self.assigned);
        used.filter(|name| !self.locals.contains(*name) && !self.defines.contains(*name))
            .cloned()
            .collect()
    }
}

/// The names in `a, f(x, y), tx.b`.
fn defined(list: &str) -> Vec<String> {
    let mut depth = 0;
    let outside = list.chars().filter(|c| {
        depth += i32::from(*c == '(') - i32::from(*c == ')');
        depth == 0 && *c != ')'
    });
    let outside: String = outside.collect();
    outside.split(", ").map(str::to_owned).collect()
}

/// The names that a file uses from others.
fn uses(text: &'static str) -> Vec<String> {
    File::read("example", text).uses().into_iter().collect()
}

#[test]
fn a_name_is_used_unless_a_block_around_it_declares_it() {
    assert_eq!(
        uses("local a = b\nlocal function f(c) return a + c + d end"),
        ["b", "d"]
    );
    assert_eq!(uses("do local a = a end"), ["a"]);
    assert_eq!(
        uses("for n, a in ipairs(list) do g(n, a) end\nreturn a"),
        ["a", "g", "list"]
    );
    assert_eq!(
        uses("if a then local b = 1 elseif b then c() end"),
        ["a", "b", "c"]
    );
    assert_eq!(
        uses("local function f() return f end"),
        Vec::<String>::new()
    );
    assert_eq!(
        uses("local t = { a = b, [c] = 'd' }\nreturn t.e"),
        ["b", "c"]
    );
    assert_eq!(
        uses("local f = function(a)\n  local b = a\n  return b\nend\nreturn f"),
        Vec::<String>::new()
    );
}

#[test]
fn fields_of_tx_are_names_and_assignments_are_seen() {
    let file = File::read("example", "tx.a, tx.b[1] = tx.c, 2\nd, e.f = 3, 4");
    assert_eq!(file.assigned.iter().collect::<Vec<_>>(), ["d", "tx.a"]);
    let used: Vec<_> = file.uses().into_iter().collect();
    assert_eq!(used, ["d", "e", "tx.a", "tx.b", "tx.c"]);
}

#[test]
fn a_header_is_read_line_by_line() {
    let text = "-- example: shows it.\n--\n-- Needs: base (call, push)\n-- Needs: tx (tx.now)\n\
                -- Defines: a, f(b, ...), tx.c\n-- Returns nothing.\n-- Needs: x (y)";
    let file = File::read("example", text);
    assert_eq!(
        file.needs["base"].iter().collect::<Vec<_>>(),
        ["call", "push"]
    );
    assert_eq!(file.needs.keys().collect::<Vec<_>>(), ["base", "tx", "x"]);
    assert_eq!(file.defines.iter().collect::<Vec<_>>(), ["a", "f", "tx.c"]);
}
