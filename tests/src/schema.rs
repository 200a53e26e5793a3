//! Values against the schemas of the document. Patterns and formats are left to the linters
//! of `.ci/run schema`.

use serde_json::Value;

/// Checks a value, and names the first place where it is not as its schema says.
pub fn check(document: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let inner = |schema: &Value, value: &Value, at: &str| check(document, schema, value, at);
    if let Some(reference) = schema["$ref"].as_str() {
        let pointer = reference.strip_prefix('#').unwrap();
        let found = document.pointer(pointer).ok_or(reference)?;
        inner(found, value, at)?;
    }
    check_type(schema, value, at)?;
    check_bounds(schema, value, at)?;
    for (word, wanted) in [("oneOf", 1..=1), ("anyOf", 1..=usize::MAX)] {
        let Some(members) = schema[word].as_array() else {
            continue;
        };
        let tried: Vec<_> = members.iter().map(|one| inner(one, value, at)).collect();
        let fitting = tried.iter().filter(|one| one.is_ok()).count();
        if !wanted.contains(&fitting) {
            let why: Vec<String> = tried.into_iter().filter_map(Result::err).collect();
            return Err(format!("{at}: {fitting} of {word} fit: {}", why.join("; ")));
        }
    }
    for (n, item) in value.as_array().into_iter().flatten().enumerate() {
        if schema["items"].is_object() {
            inner(&schema["items"], item, &format!("{at}/{n}"))?;
        }
    }
    check_fields(schema, value, at, &inner)
}

fn check_type(schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let is_of = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("{at}: there is no type {other}"),
    };
    let fits = match &schema["type"] {
        Value::String(kind) => is_of(kind),
        Value::Array(kinds) => kinds.iter().any(|kind| is_of(kind.as_str().unwrap())),
        _ => true,
    };
    let is_allowed = match schema["enum"].as_array() {
        Some(allowed) => allowed.contains(value),
        None => schema.get("const").is_none_or(|only| only == value),
    };
    match fits && is_allowed {
        true => Ok(()),
        false => Err(format!("{at}: {value} is not of {schema}")),
    }
}

fn check_bounds(schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let number = value.as_f64();
    let length = value.as_array().map(|items| items.len() as f64);
    let bound = |name: &str| schema[name].as_f64();
    let low = [(number, bound("minimum")), (length, bound("minItems"))];
    let high = [(number, bound("maximum")), (length, bound("maxItems"))];
    let is_low = low
        .into_iter()
        .any(|pair| matches!(pair, (Some(a), Some(b)) if a < b));
    let is_high = high
        .into_iter()
        .any(|pair| matches!(pair, (Some(a), Some(b)) if a > b));
    match is_low || is_high {
        true => Err(format!("{at}: {value} is out of the bounds of {schema}")),
        false => Ok(()),
    }
}

fn check_fields(
    schema: &Value,
    value: &Value,
    at: &str,
    inner: &dyn Fn(&Value, &Value, &str) -> Result<(), String>,
) -> Result<(), String> {
    let Some(fields) = value.as_object() else {
        return Ok(());
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        if !fields.contains_key(name.as_str().unwrap()) {
            return Err(format!("{at}: {name} is missing"));
        }
    }
    let is_object = schema["properties"].is_object();
    for (name, field) in fields {
        let at = format!("{at}/{name}");
        match (&schema["properties"][name], &schema["additionalProperties"]) {
            (known, _) if !known.is_null() => inner(known, field, &at)?,
            (_, Value::Bool(false)) => return Err(format!("{at}: not in the schema")),
            (_, others) if others.is_object() => inner(others, field, &at)?,
            // What is answered is told in full, also where clients have to bear more.
            _ if is_object => return Err(format!("{at}: not in the schema")),
            _ => {}
        }
    }
    Ok(())
}

#[test]
fn a_value_that_is_not_as_its_schema_says_is_found() {
    let document = serde_json::json!({ "a": { "type": "string" } });
    let fits = |schema: Value, value: Value| check(&document, &schema, &value, "").is_ok();
    use serde_json::json;
    assert!(fits(json!({ "$ref": "#/a" }), json!("text")));
    assert!(!fits(json!({ "$ref": "#/a" }), json!(1)));
    assert!(!fits(json!({ "type": ["integer", "null"] }), json!("1")));
    assert!(!fits(json!({ "enum": ["a"] }), json!("b")));
    assert!(!fits(json!({ "const": "a" }), json!("b")));
    assert!(!fits(json!({ "maximum": 3 }), json!(4)));
    assert!(!fits(json!({ "minItems": 1 }), json!([])));
    assert!(!fits(
        json!({ "items": { "$ref": "#/a" } }),
        json!(["a", 1])
    ));
    assert!(!fits(
        json!({ "oneOf": [{ "$ref": "#/a" }, {}] }),
        json!("both")
    ));
    assert!(!fits(json!({ "anyOf": [{ "$ref": "#/a" }] }), json!(1)));
    let object = json!({ "properties": { "b": { "$ref": "#/a" } }, "required": ["b"] });
    assert!(fits(object.clone(), json!({ "b": "text" })));
    for wrong in [json!({}), json!({ "b": 1 }), json!({ "b": "text", "c": 1 })] {
        assert!(!fits(object.clone(), wrong.clone()), "{wrong}");
    }
}
