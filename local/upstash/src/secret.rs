//! Generates secrets.

/// 128 random bits from the operating system, as 32 hexadecimal digits.
///
/// # Errors
///
/// If the operating system provides no random bytes.
pub fn random_secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
