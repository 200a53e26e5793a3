//! Schemas in the plain form that readers and generators of clients like best.

use serde_json::{Map, Value, json};

/// Makes the document plain: its descriptions, and the words a text may be.
pub(super) fn tidy(document: &mut Value) {
    join_lines(document);
    list_words(document);
}

/// A description is a doc comment, whose lines are broken for its file.
fn join_lines(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == "description" => {
                        let paragraphs = text.split("\n\n");
                        let joined: Vec<String> =
                            paragraphs.map(|text| text.replace('\n', " ")).collect();
                        *text = joined.join("\n\n");
                    }
                    _ => join_lines(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(join_lines),
        _ => {}
    }
}

/// Turns a choice between described words into one `enum`, whose description lists them.
/// Generators make a type of that, and of a choice between constants often nothing usable.
fn list_words(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(list_words);
            let words = fields.get("oneOf").and_then(Value::as_array);
            let words: Option<Vec<(String, String)>> =
                words.and_then(|members| members.iter().map(word).collect());
            if let Some(words) = words.filter(|words| !words.is_empty()) {
                replace_choice(fields, &words);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(list_words),
        _ => {}
    }
}

/// A word and what it means, if a schema is that of one word.
fn word(schema: &Value) -> Option<(String, String)> {
    let word = schema["const"].as_str()?;
    let meaning = schema["description"].as_str()?;
    Some((word.to_owned(), meaning.to_owned()))
}

fn replace_choice(fields: &mut Map<String, Value>, words: &[(String, String)]) {
    let list: Vec<String> = words
        .iter()
        .map(|(word, meaning)| format!("- `{word}`: {meaning}"))
        .collect();
    let head = fields.get("description").and_then(Value::as_str);
    let head = head.map(|head| format!("{head}\n\n")).unwrap_or_default();
    fields.insert(
        "description".to_owned(),
        format!("{head}{}", list.join("\n")).into(),
    );
    fields.remove("oneOf");
    let words: Vec<&String> = words.iter().map(|(word, _)| word).collect();
    fields.insert("enum".to_owned(), json!(words));
    fields.insert("type".to_owned(), "string".into());
}

/// Says of the optional fields of a reply what is true of them: they are left out, and never
/// null.
pub(super) fn omit_nulls(schema: &mut Value) {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let fields = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (name, field) in fields.into_iter().flatten() {
        if !required.iter().any(|required| required == name) {
            *field = without_null(field.take());
        }
    }
}

/// The schema of what is left out, never null.
pub(super) fn without_null(mut schema: Value) -> Value {
    let types = schema.get_mut("type").and_then(Value::as_array_mut);
    let only = types.and_then(|types| {
        types.retain(|kind| kind != "null");
        (types.len() == 1).then(|| types.remove(0))
    });
    if let Some(only) = only {
        schema["type"] = only;
    }
    if let Some(allowed) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        allowed.retain(|value| !value.is_null());
    }
    let rest = schema.get_mut("anyOf").and_then(Value::as_array_mut);
    let only = rest.and_then(|of| {
        of.retain(|one| one["type"] != "null");
        (of.len() == 1).then(|| of.remove(0))
    });
    if let (Some(only), Some(fields)) = (only, schema.as_object_mut()) {
        fields.remove("anyOf");
        for (name, value) in only.as_object().into_iter().flatten() {
            fields.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    if schema.get("default").is_some_and(Value::is_null)
        && let Some(fields) = schema.as_object_mut()
    {
        fields.remove("default");
    }
    schema
}
