//! Fields whose value may be of another type than the documentation says.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A value of another type than expected is treated as missing.
pub(super) fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).ok())
}

/// Pixels: whole, written with a decimal point by some, and within reason.
pub(super) fn dimension<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u32>, D::Error> {
    let number: Option<f64> = lenient(deserializer)?;
    Ok(number
        .filter(|pixels| (1.0..=16_384.0).contains(pixels))
        .map(|pixels| pixels as u32))
}
