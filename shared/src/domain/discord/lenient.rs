//! Deserializers for fields that may have another type than documented.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Treats a value of an unexpected type as missing.
pub(super) fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).ok())
}

/// A width or height in pixels. Accepts whole numbers written with a decimal point, and
/// rejects absurd values.
pub(super) fn dimension<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u32>, D::Error> {
    let number: Option<f64> = lenient(deserializer)?;
    Ok(number
        .filter(|pixels| (1.0..=16_384.0).contains(pixels))
        .map(|pixels| pixels as u32))
}
