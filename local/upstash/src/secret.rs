//! What nobody may guess.

/// 128 random bits of the system's, as 32 hexadecimal digits.
///
/// # Errors
///
/// When the system has no randomness to give.
pub fn random_secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
