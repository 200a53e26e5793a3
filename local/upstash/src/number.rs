//! Parses and formats numbers as Redis does.

/// An integer in canonical form: no plus sign, no leading zero, no space.
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let canonical = match digits {
        [b'0'] => text.len() == 1,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if !canonical || text.len() > 20 {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A float as C's `strtod` parses it. `inf` is accepted; NaN and out-of-range values are
/// not.
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let bare = text.strip_prefix(['-', '+']).unwrap_or(text);
    if bare.starts_with(['-', '+']) {
        return None;
    }
    if let Some(hex) = bare.strip_prefix("0x").or_else(|| bare.strip_prefix("0X")) {
        let value = u64::from_str_radix(hex, 16).ok()? as f64;
        return Some(if text.starts_with('-') { -value } else { value });
    }
    let value: f64 = text.parse().ok()?;
    let infinite = bare
        .get(..3)
        .is_some_and(|word| word.eq_ignore_ascii_case("inf"));
    let underflow = value == 0.0
        && bare
            .split(['e', 'E'])
            .next()
            .is_some_and(|mantissa| mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9')));
    (!value.is_nan() && (value.is_finite() || infinite) && !underflow).then_some(value)
}

/// The shortest text that parses to the same float, without an exponent for whole
/// numbers.
pub fn format_f64(value: f64) -> String {
    if value.is_nan() {
        return "nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.into();
    }
    if value == 0.0 && value.is_sign_negative() {
        return "-0".into();
    }
    if value.fract() == 0.0 && value.abs() < 9.2e18 {
        return (value as i64).to_string();
    }
    lay_out(&format!("{value:e}"), 17)
}

/// C's `%.{precision}g`.
pub fn format_g(value: f64, precision: usize) -> String {
    if value.is_nan() {
        return if value.is_sign_negative() {
            "-nan"
        } else {
            "nan"
        }
        .into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.into();
    }
    lay_out(&format!("{value:.*e}", precision - 1), precision)
}

/// Turns Rust's `1.5e-7` into what `%g` prints with the given precision.
fn lay_out(scientific: &str, precision: usize) -> String {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_end_matches('0');
    let digits = if digits.is_empty() { "0" } else { digits };
    if exponent < -4 || exponent >= precision as i32 {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let mark = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{first}{point}{rest}e{mark}{:02}", exponent.abs());
    }
    if exponent < 0 {
        let zeros = "0".repeat((-exponent - 1) as usize);
        return format!("{sign}0.{zeros}{digits}");
    }
    let whole_len = exponent as usize + 1;
    if digits.len() <= whole_len {
        let zeros = "0".repeat(whole_len - digits.len());
        return format!("{sign}{digits}{zeros}");
    }
    let (whole, fraction) = digits.split_at(whole_len);
    format!("{sign}{whole}.{fraction}")
}

/// `left + right` as `INCRBYFLOAT` prints it: 17 decimals, no trailing zeros.
///
/// Redis adds 80-bit floats, for which 0.1 + 0.2 is 0.3. Exact decimals give the same
/// text for numbers of ordinary size. Larger numbers fall back to 64-bit floats. Returns
/// `None` if the sum is not finite.
pub fn add_decimal(left: &[u8], right: &[u8]) -> Option<String> {
    if let (Some(left), Some(right)) = (scaled(left), scaled(right))
        && let Some(sum) = left.checked_add(right)
    {
        return Some(print_scaled(sum));
    }
    let sum = parse_f64(left)? + parse_f64(right)?;
    if !sum.is_finite() {
        return None;
    }
    let text = format!("{sum:.17}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    Some(if text == "-0" {
        "0".into()
    } else {
        text.into()
    })
}

const SCALE_DIGITS: i32 = 17;

/// The number times 10^17, if it has at most 17 decimals and at most 19 integer digits.
fn scaled(text: &[u8]) -> Option<i128> {
    let text = std::str::from_utf8(text).ok()?;
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || digits.len() > 19 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let shift = SCALE_DIGITS
        .checked_add(exponent)?
        .checked_sub(i32::try_from(fraction.len()).ok()?)?;
    if !(0..=SCALE_DIGITS).contains(&shift) {
        return None;
    }
    let value = digits.parse::<i128>().ok()? * 10i128.pow(shift as u32);
    Some(if negative { -value } else { value })
}

fn print_scaled(value: i128) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let unit = 10u128.pow(SCALE_DIGITS as u32);
    let (whole, fraction) = (value.unsigned_abs() / unit, value.unsigned_abs() % unit);
    let fraction = format!("{fraction:017}");
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_have_one_spelling() {
        assert_eq!(parse_i64(b"-9223372036854775808"), Some(i64::MIN));
        for text in ["", "-", "+1", "01", "-0", " 1", "1 ", "9223372036854775808"] {
            assert_eq!(parse_i64(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn floats_print_as_c_prints_them() {
        assert_eq!(format_f64(0.1), "0.1");
        assert_eq!(format_f64(1e17), "100000000000000000");
        assert_eq!(format_f64(1e20), "1e+20");
        assert_eq!(format_f64(1.5e-7), "1.5e-07");
        assert_eq!(format_g(3.1, 17), "3.1000000000000001");
        assert_eq!(format_g(1e15, 14), "1e+15");
        assert_eq!(format_g(1e13, 14), "10000000000000");
        assert_eq!(format_g(0.0001, 14), "0.0001");
    }

    #[test]
    fn decimal_sums_are_exact() {
        assert_eq!(add_decimal(b"0.1", b"0.2").as_deref(), Some("0.3"));
        assert_eq!(add_decimal(b"10.5", b"-10.5").as_deref(), Some("0"));
        assert_eq!(add_decimal(b"5.0e3", b"200").as_deref(), Some("5200"));
    }
}
