//! Finds the names that the code of a Lua file declares, sets and uses.

use std::collections::BTreeSet;

use super::file::{File, Names};
use super::tokens::{Kind, Token};

/// Globals that every script has.
const GIVEN: [&str; 16] = [
    "ARGV", "KEYS", "cjson", "error", "ipairs", "math", "next", "pairs", "pcall", "redis",
    "select", "string", "table", "tonumber", "type", "unpack",
];

/// Adds the contents of the tokens to `file`.
pub fn read(tokens: &[Token<'_>], file: &mut File) {
    let mut reader = Reader {
        tokens,
        scopes: vec![Names::new()],
        brackets: Vec::new(),
        pending: Vec::new(),
        of_loops: Vec::new(),
        function: None,
        file,
    };
    reader.read();
}

fn lines_of(tokens: &[Token<'_>]) -> usize {
    let lines: BTreeSet<usize> = tokens.iter().map(|token| token.line).collect();
    lines.len()
}

/// Processes the tokens of a file once.
struct Reader<'a> {
    tokens: &'a [Token<'a>],
    /// The names of the open blocks, starting with those of the file.
    scopes: Vec<Names>,
    brackets: Vec<&'a str>,
    /// Names declared by a `local` whose statement has not ended, with the block depth.
    pending: Vec<(usize, usize, Vec<String>)>,
    /// Variables of loops whose `do` has not been read.
    of_loops: Vec<Vec<String>>,
    /// The outermost open function and where it starts.
    function: Option<(String, usize)>,
    file: &'a mut File,
}

impl<'a> Reader<'a> {
    fn read(&mut self) {
        let mut at = 0;
        while at < self.tokens.len() {
            self.end_statements(at);
            at = self.step(at);
        }
        self.declare_pending(usize::MAX);
        assert_eq!(self.scopes.len(), 1, "{}: a block is open", self.file.name);
        self.file.locals = self.scopes.remove(0);
    }

    /// Returns where to continue.
    fn step(&mut self, at: usize) -> usize {
        let token = self.tokens[at];
        match (token.kind, token.text) {
            (Kind::Keyword, "local") => return self.local(at),
            (Kind::Keyword, "function") => return self.parameters(at + 1),
            (Kind::Keyword, "for") => {
                let (names, at) = self.names(at + 1);
                self.of_loops.push(names);
                return at;
            }
            (Kind::Keyword, "do") => {
                let names = self.of_loops.pop().unwrap_or_default();
                self.scopes.push(names.into_iter().collect());
            }
            (Kind::Keyword, "then" | "repeat") => self.scopes.push(Names::new()),
            (Kind::Keyword, "elseif" | "end" | "until") => self.close(at),
            (Kind::Keyword, "else") => {
                self.close(at);
                self.scopes.push(Names::new());
            }
            (Kind::Symbol, "(" | "[" | "{") => self.brackets.push(token.text),
            (Kind::Symbol, ")" | "]" | "}") => drop(self.brackets.pop()),
            (Kind::Name, _) => self.name(at),
            _ => {}
        }
        at + 1
    }

    fn token(&self, at: usize) -> Option<&Token<'a>> {
        self.tokens.get(at)
    }

    fn is(&self, at: usize, text: &str) -> bool {
        self.token(at).is_some_and(|token| token.is(text))
    }

    fn local(&mut self, at: usize) -> usize {
        if self.is(at + 1, "function") {
            let name = self.tokens[at + 2].text.to_owned();
            self.scopes.last_mut().unwrap().insert(name.clone());
            if self.scopes.len() == 1 {
                self.function = Some((name, at));
            }
            return self.parameters(at + 3);
        }
        let (names, at) = self.names(at + 1);
        self.pending
            .push((self.scopes.len(), self.brackets.len(), names));
        at
    }

    /// A comma-separated list of names, and where it ends.
    fn names(&self, mut at: usize) -> (Vec<String>, usize) {
        let mut names = vec![self.tokens[at].text.to_owned()];
        while self.is(at + 1, ",") {
            at += 2;
            names.push(self.tokens[at].text.to_owned());
        }
        (names, at + 1)
    }

    /// Opens the block of a function `name.of.it (a, b)`. The name is optional.
    fn parameters(&mut self, mut at: usize) -> usize {
        while !self.is(at, "(") {
            if self.tokens[at].kind == Kind::Name && !self.is(at - 1, ".") {
                self.name(at);
            }
            at += 1;
        }
        let mut names = Names::new();
        while !self.is(at, ")") {
            if self.tokens[at].kind == Kind::Name {
                names.insert(self.tokens[at].text.to_owned());
            }
            at += 1;
        }
        self.scopes.push(names);
        at + 1
    }

    fn close(&mut self, at: usize) {
        self.scopes.pop();
        if self.scopes.len() == 1
            && let Some((name, from)) = self.function.take()
        {
            let function = self.file.functions.entry(name).or_default();
            function.n_lines = lines_of(&self.tokens[from..=at]);
        }
    }

    /// The names of a `local` are valid from the end of its statement.
    fn end_statements(&mut self, at: usize) {
        const FIRST: [&str; 13] = [
            "local", "if", "for", "while", "repeat", "do", "return", "break", "end", "else",
            "elseif", "until", "function",
        ];
        let token = self.tokens[at];
        let follows = at > 0 && self.tokens[at - 1].ends_expression();
        let begins = token.kind == Kind::Name || FIRST.contains(&token.text);
        if follows && begins {
            self.declare_pending(self.scopes.len());
        }
    }

    fn declare_pending(&mut self, depth: usize) {
        while let Some((of, brackets, names)) = self.pending.pop() {
            let is_over = depth == usize::MAX || (of, brackets) == (depth, self.brackets.len());
            if !is_over {
                self.pending.push((of, brackets, names));
                return;
            }
            self.scopes[of - 1].extend(names);
        }
    }

    fn name(&mut self, at: usize) {
        let before = at.checked_sub(1).map(|at| self.tokens[at]);
        if before.is_some_and(|before| before.is(".") || before.is(":")) {
            return;
        }
        let begins_statement = before.is_none_or(|before| {
            before.ends_expression() || ["then", "do", "else", "repeat", ";"].contains(&before.text)
        });
        if begins_statement {
            for name in self.targets(at) {
                self.set(name);
            }
        }
        let is_key = self.brackets.last() == Some(&"{")
            && before.is_some_and(|before| before.is("{") || before.is(","))
            && self.is(at + 1, "=");
        if !is_key {
            let name = self.full_name(at);
            self.note_use(name);
        }
    }

    /// `tx.now` for a field of `tx`, otherwise the name.
    fn full_name(&self, at: usize) -> String {
        let name = self.tokens[at].text;
        match self.token(at + 2) {
            Some(field) if name == "tx" && self.is(at + 1, ".") => format!("tx.{}", field.text),
            _ => name.to_owned(),
        }
    }

    /// What the assignment starting here sets: names, and fields of `tx`.
    fn targets(&self, mut at: usize) -> Vec<String> {
        let mut found = Vec::new();
        loop {
            let name = self.full_name(at);
            let mut end = at + if name.contains('.') { 3 } else { 1 };
            let is_whole = self.is(end, ",") || self.is(end, "=");
            while self.is(end, ".") || self.is(end, "[") {
                end = if self.is(end, ".") {
                    end + 2
                } else {
                    self.after_index(end)
                };
            }
            if is_whole {
                found.push(name);
            }
            if self.is(end, "=") {
                return found;
            }
            let goes_on = self.is(end, ",");
            match self.token(end + 1) {
                Some(next) if goes_on && next.kind == Kind::Name => at = end + 1,
                _ => return Vec::new(),
            }
        }
    }

    fn after_index(&self, at: usize) -> usize {
        let mut depth = 0;
        for (n, token) in self.tokens[at..].iter().enumerate() {
            depth += i32::from(token.is("[")) - i32::from(token.is("]"));
            if depth == 0 {
                return at + n + 1;
            }
        }
        panic!("an index without an end");
    }

    fn scope_of(&self, name: &str) -> Option<usize> {
        self.scopes.iter().rposition(|scope| scope.contains(name))
    }

    fn set(&mut self, name: String) {
        if self.scope_of(&name).is_none() {
            self.file.assigned.insert(name);
        }
    }

    fn note_use(&mut self, name: String) {
        if GIVEN.contains(&name.as_str()) || self.scope_of(&name).is_some_and(|scope| scope > 0) {
            return;
        }
        let uses = match &self.function {
            Some((function, _)) => {
                let function = self.file.functions.entry(function.clone()).or_default();
                &mut function.uses
            }
            None => &mut self.file.used_at_once,
        };
        uses.insert(name);
    }
}
