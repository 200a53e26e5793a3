//! Splits a Lua file into tokens.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Name,
    Keyword,
    /// A string or a number.
    Value,
    Symbol,
}

#[derive(Clone, Copy, Debug)]
pub struct Token<'a> {
    pub kind: Kind,
    pub text: &'a str,
    pub line: usize,
}

impl Token<'_> {
    pub fn is(&self, text: &str) -> bool {
        self.kind != Kind::Value && self.text == text
    }

    /// Whether an expression may end here, so that a name that follows starts a
    /// statement.
    pub fn ends_expression(&self) -> bool {
        match self.kind {
            Kind::Name | Kind::Value => true,
            Kind::Keyword => ["end", "nil", "true", "false"].contains(&self.text),
            Kind::Symbol => [")", "]", "}", "..."].contains(&self.text),
        }
    }
}

const KEYWORDS: [&str; 21] = [
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "if", "in", "local",
    "nil", "not", "or", "repeat", "return", "then", "true", "until", "while",
];
const SYMBOLS: [&str; 6] = ["...", "..", "==", "~=", "<=", ">="];

/// The tokens of a file. Supports only what our files use: no long strings and no long
/// comments.
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let mut rest = line.trim_start();
        while !rest.is_empty() && !rest.starts_with("--") {
            let (kind, len) = next(rest);
            found.push(Token {
                kind,
                text: &rest[..len],
                line: at + 1,
            });
            rest = rest[len..].trim_start();
        }
    }
    found
}

fn next(rest: &str) -> (Kind, usize) {
    let first = rest.chars().next().unwrap();
    let run = |is: fn(char) -> bool| rest.find(|c| !is(c)).unwrap_or(rest.len());
    if first == '\'' || first == '"' {
        return (Kind::Value, text_len(rest, first));
    }
    if first.is_ascii_digit() {
        return (Kind::Value, run(|c| c.is_ascii_alphanumeric() || c == '.'));
    }
    if first.is_ascii_alphabetic() || first == '_' {
        let len = run(|c| c.is_ascii_alphanumeric() || c == '_');
        let is_keyword = KEYWORDS.contains(&&rest[..len]);
        let kind = if is_keyword {
            Kind::Keyword
        } else {
            Kind::Name
        };
        return (kind, len);
    }
    let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
    (Kind::Symbol, symbol.map_or(1, |symbol| symbol.len()))
}

fn text_len(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if !escaped && c == quote {
            return at + 1;
        }
        escaped = !escaped && c == '\\';
    }
    panic!("a text without an end: {rest}");
}
