//! One of several schemas, told apart by `type`.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

/// The members of a union, each under the `type` that it has.
pub(super) struct Union<'a> {
    generator: &'a mut SchemaGenerator,
    members: Vec<Schema>,
    mapping: Map<String, Value>,
}

impl Union<'_> {
    pub fn new(generator: &mut SchemaGenerator) -> Union<'_> {
        Union {
            generator,
            members: Vec::new(),
            mapping: Map::new(),
        }
    }

    pub fn or<T: JsonSchema>(mut self, name: &str) -> Self {
        let member = self.generator.subschema_for::<T>();
        if let Some(reference) = member.get("$ref") {
            self.mapping.insert(name.to_owned(), reference.clone());
        }
        self.members.push(member);
        self
    }

    pub fn described(self, description: &str) -> Schema {
        json_schema!({
            "description": description,
            "oneOf": self.members,
            "discriminator": { "propertyName": "type", "mapping": self.mapping },
        })
    }
}

/// The schema of a type as an object, for changing it.
pub(super) fn object_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    T::json_schema(generator)
}

/// Sets the schema of a field, and keeps the description of the one it replaces.
pub(super) fn set_field(schema: &mut Schema, name: &str, field: Value) {
    let fields = schema.get_mut("properties").and_then(Value::as_object_mut);
    let Some(fields) = fields else { return };
    let description = fields.get(name).and_then(|old| old.get("description"));
    let mut field = field;
    if let Some(description) = description {
        field["description"] = description.clone();
    }
    fields.insert(name.to_owned(), field);
}

/// Sets the field `type`, which tells the members of a union apart.
pub(super) fn set_type(schema: &mut Schema, name: &str) {
    set_field(schema, "type", json!({ "type": "string", "const": name }));
}

/// Removes an optional field.
pub(super) fn remove_field(schema: &mut Schema, name: &str) {
    if let Some(fields) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        fields.remove(name);
    }
}

pub(super) fn is_required(schema: &Schema, name: &str) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    required.is_some_and(|required| required.iter().any(|required| required == name))
}

pub(super) fn require_field(schema: &mut Schema, name: &str) {
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.push(name.into());
    }
}
