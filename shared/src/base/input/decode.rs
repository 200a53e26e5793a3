//! A deserializer that continues after an error, so that one answer can list all of them.
//!
//! Serde stops at the first error. This deserializer therefore reads a value several times,
//! until a pass finds nothing new. Each pass leaves out what earlier passes found to be wrong.
//! A required field that is missing or left out gets a stand-in, so that the fields after it
//! are checked as well. The result of such a pass is thrown away; it only finds errors.
//!
//! Serde's own messages are not used, because they name Rust types.

use serde::de::{DeserializeOwned, Deserializer, Expected, IntoDeserializer, Visitor};

use super::access::{Fields, Items};
use super::findings::{Findings, MOST, Path, Stop, one_of};
use super::invalid::{FieldCode, FieldError, Invalid};
use super::json::Json;
use super::node::{Input, Node};

/// Reads `input`. If `is_lenient`, unknown fields are ignored and their paths are returned.
pub(super) fn decode<T: DeserializeOwned>(
    input: Input<'_>,
    is_lenient: bool,
) -> Result<(T, Vec<String>), Invalid> {
    let findings = Findings::new(is_lenient);
    loop {
        let before = findings.progress();
        let node = Node {
            input,
            address: 0,
            path: &Path::Root,
            findings: &findings,
        };
        let read = node.noted(T::deserialize(node));
        let n_errors = findings.errors.borrow().len();
        match read {
            Ok(value) if n_errors == 0 => return Ok((value, findings.ignored.into_inner())),
            Err(_) if n_errors < MOST && findings.progress() != before => {}
            _ => break,
        }
    }
    let mut errors = findings.errors.into_inner();
    if errors.is_empty() {
        errors.push(FieldError::body(
            FieldCode::Invalid,
            "expected another value",
        ));
    }
    Err(Invalid::new(errors))
}

impl Node<'_> {
    fn integer<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        const EXPECTED: &str = "a whole number";
        let number = self.number();
        let read = match number.map(|number| (number.as_u64(), number.as_i64())) {
            Some((Some(whole), _)) => visitor.visit_u64(whole),
            Some((_, Some(whole))) => visitor.visit_i64(whole),
            _ => return self.noted(Err(Stop::wrong_type(EXPECTED))),
        };
        let out_of_range = |stop| match stop {
            Stop::Value(..) => Stop::expected(
                FieldCode::OutOfRange,
                "a whole number, not negative and not as large",
            ),
            other => other,
        };
        self.noted(read.map_err(out_of_range))
    }

    fn any<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        if let Some(number) = self.number() {
            return match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(whole), ..) => visitor.visit_u64(whole),
                (_, Some(whole), _) => visitor.visit_i64(whole),
                (_, _, Some(number)) => visitor.visit_f64(number),
                _ => visitor.visit_unit(),
            };
        }
        match self.input {
            Input::Json(Json::Null) => visitor.visit_unit(),
            Input::Json(Json::Bool(value)) => visitor.visit_bool(*value),
            Input::Json(Json::Array(items)) => visitor.visit_seq(Items::new(self, items)),
            Input::Json(Json::Object(_)) | Input::Pairs(_) => {
                visitor.visit_map(Fields::new(self, None))
            }
            _ => visitor.visit_str(self.text().unwrap_or_default()),
        }
    }
}

impl<'de> Deserializer<'de> for Node<'_> {
    type Error = Stop;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.noted(self.any(visitor))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_unit()
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.input {
            Input::Json(Json::Bool(value)) => visitor.visit_bool(*value),
            Input::Text("true") => visitor.visit_bool(true),
            Input::Text("false") | Input::StandIn => visitor.visit_bool(false),
            Input::Text(_) => self.noted(Err(Stop::Value(
                FieldCode::Invalid,
                "expected `true` or `false`".to_owned(),
            ))),
            _ => self.noted(Err(Stop::wrong_type("`true` or `false`"))),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.number().and_then(|number| number.as_f64()) {
            Some(number) => self.noted(visitor.visit_f64(number)),
            None => self.noted(Err(Stop::wrong_type("a number"))),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let read = match self.text() {
            Some(text) => visitor.visit_str(text),
            None => Err(Stop::wrong_type(&visitor as &dyn Expected)),
        };
        self.noted(read)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.input {
            Input::Json(Json::Null) | Input::StandIn => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.input {
            Input::Pairs(_) => {
                self.check_names(&[]);
                visitor.visit_unit()
            }
            Input::Json(Json::Null) | Input::StandIn => visitor.visit_unit(),
            _ => self.noted(Err(Stop::wrong_type("null"))),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let items: &[Json] = match self.input {
            Input::Json(Json::Array(items)) => items,
            Input::StandIn => &[],
            _ => return self.noted(Err(Stop::wrong_type("an array"))),
        };
        self.noted(visitor.visit_seq(Items::new(self, items)))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.is_object() {
            true => self.noted(visitor.visit_map(Fields::new(self, None))),
            false => self.noted(Err(Stop::wrong_type("an object"))),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        if !self.is_object() {
            return self.noted(Err(Stop::wrong_type("an object")));
        }
        if matches!(self.input, Input::Pairs(_)) {
            self.check_names(fields);
        }
        self.check_repeated();
        self.noted(visitor.visit_map(Fields::new(self, Some(fields))))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let text = match self.input {
            Input::StandIn => variants.first().copied(),
            _ => self.text(),
        };
        let read = match text {
            Some(text) => visitor.visit_enum(text.into_deserializer()),
            None => Err(Stop::wrong_type(one_of(variants))),
        };
        self.noted(read)
    }

    fn deserialize_i8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.integer(visitor)
    }

    fn deserialize_i16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.integer(visitor)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.integer(visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.integer(visitor)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.integer(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.integer(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.integer(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.integer(visitor)
    }

    serde::forward_to_deserialize_any! { i128 u128 char bytes byte_buf identifier }
}
