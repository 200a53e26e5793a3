//! How the document is laid out in its file: what fits into a line is in one, so that a
//! change is read where it was made, and on a line or two.

use serde_json::{Value, json};

const WIDTH: usize = 100;

/// The order of the fields of the document, of an operation and of a parameter.
const FIRST: [&str; 15] = [
    "name",
    "in",
    "required",
    "openapi",
    "info",
    "servers",
    "operationId",
    "summary",
    "description",
    "tags",
    "security",
    "parameters",
    "requestBody",
    "responses",
    "paths",
];

pub fn text(document: &Value) -> String {
    let mut text = String::new();
    write(&mut text, document, 0, 0);
    text + "\n"
}

/// `before` is how much of the line is taken.
fn write(text: &mut String, value: &Value, indent: usize, before: usize) {
    let line = value.to_string();
    // One more for the comma.
    if before + line.len() < WIDTH {
        text.push_str(&line);
        return;
    }
    let inner = indent + 2;
    let margin = " ".repeat(inner);
    let (open, close, parts): (_, _, Vec<(String, &Value)>) = match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            // What comes first is what is read first; the rest is in the order of the alphabet.
            let is_ordered = ["openapi", "operationId", "in"];
            if is_ordered.iter().any(|name| value.get(*name).is_some()) {
                fields.sort_by_key(|(name, _)| {
                    FIRST
                        .iter()
                        .position(|first| first == name)
                        .unwrap_or(FIRST.len())
                });
            }
            let parts = fields
                .into_iter()
                .map(|(name, value)| (format!("{}: ", json!(name)), value));
            ('{', '}', parts.collect())
        }
        Value::Array(items) => ('[', ']', items.iter().map(|v| (String::new(), v)).collect()),
        _ => {
            text.push_str(&line);
            return;
        }
    };
    text.push(open);
    for (n, (name, value)) in parts.iter().enumerate() {
        text.push_str(if n == 0 { "\n" } else { ",\n" });
        text.push_str(&margin);
        text.push_str(name);
        write(text, value, inner, inner + name.len());
    }
    text.push('\n');
    text.push_str(&" ".repeat(indent));
    text.push(close);
}
