//! Scripts that are assembled from Lua files.
//!
//! The comment at the start of a file names the files that it needs, one on each line:
//!
//! ```lua
//! -- settle: accepts the outcome of an attempt.
//! --
//! -- Needs: base (int, push)
//! -- Needs: write (save, tx.writes)
//! -- Defines: settle_all(attempts)
//! ```
//!
//! A script is its main file, preceded by all files that it needs, directly or indirectly.
//! So the order is not written down anywhere, and a script contains no file that it does
//! not use. Comments are for readers and are not sent.
//!
//! The names in parentheses are for readers too. A test compares them with the code.

/// The Lua files of one folder, by name.
pub type LuaFiles = &'static [(&'static str, &'static str)];

/// The files in the folder `scripts` next to the caller.
macro_rules! lua_files {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("scripts/", $name, ".lua")))),+]
    };
}
pub(crate) use lua_files;

/// Returns the files of a script, each one after those it needs.
pub(super) fn closure(files: LuaFiles, main: &str) -> Vec<(&'static str, &'static str)> {
    let mut found = Vec::new();
    visit(files, main, &mut found);
    found
}

fn visit(files: LuaFiles, name: &str, found: &mut Vec<(&'static str, &'static str)>) {
    if found.iter().any(|(seen, _)| *seen == name) {
        return;
    }
    let file = files
        .iter()
        .find(|(file, _)| *file == name)
        .expect("a test puts every script together: each file that is needed is listed");
    for needed in needs(file.1) {
        visit(files, needed, found);
    }
    found.push(*file);
}

/// The names of the files that a file needs.
fn needs(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .take_while(|line| line.starts_with("--"))
        .filter_map(|line| line.strip_prefix("-- Needs: "))
        .filter_map(|line| line.split(' ').next())
}

/// Appends the lines of a file that are code.
pub(super) fn push_code(text: &str, code: &mut String) {
    for line in text.lines() {
        let start = line.trim_start();
        if !start.is_empty() && !start.starts_with("--") {
            code.push_str(line);
            code.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: LuaFiles = &[
        (
            "a",
            "-- a: uses both.\n-- Needs: b (f)\n-- Needs: c (g)\nreturn f() + g()",
        ),
        (
            "b",
            "-- b: a function.\n--\n-- Needs: c (g)\n\nlocal function f() return g() end",
        ),
        (
            "c",
            "-- c: another.\nlocal function g()\n  -- Why one.\n  return 1\nend\n",
        ),
        ("d", "-- d: is not needed.\n"),
    ];

    #[test]
    fn a_file_comes_once_and_after_the_files_it_needs() {
        let names = |main| -> Vec<&str> {
            let files = closure(FILES, main).into_iter();
            files.map(|(name, _)| name).collect()
        };
        assert_eq!(names("a"), ["c", "b", "a"]);
        assert_eq!(names("b"), ["c", "b"]);
        assert_eq!(names("d"), ["d"]);
    }

    #[test]
    fn comments_and_empty_lines_are_not_sent() {
        let mut code = String::new();
        push_code(FILES[1].1, &mut code);
        push_code(FILES[2].1, &mut code);
        assert_eq!(
            code,
            "local function f() return g() end\nlocal function g()\n  return 1\nend\n"
        );
    }
}
