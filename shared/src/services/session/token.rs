//! The secret token of a session.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::error::Error;

/// 32 random bytes as 43 letters. Only its hash is stored, so that somebody who reads the
/// database cannot take over a session.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Creates a new token.
    ///
    /// # Errors
    /// The system provided no random bytes.
    pub(super) fn new() -> Result<Token, Error> {
        let mut bytes = [0; 32];
        let filled = SystemRandom::new().fill(&mut bytes);
        filled.map_err(|_| Error::NoRandomness)?;
        Ok(Token(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Returns the token in `text`, if `text` is a valid token.
    pub fn parse(text: &str) -> Option<Token> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == 32).then(|| Token(text.to_owned()))
    }

    /// The token as its holder sends it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id under which the session is stored: 128 bits of the token's SHA-256.
    pub(super) fn id(&self) -> String {
        let hash = digest(&SHA256, self.0.as_bytes());
        let hash = hash.as_ref().iter().take(16);
        hash.map(|byte| format!("{byte:02x}")).collect()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_shown_and_its_id_is_not_the_token() {
        let token = Token::new().unwrap();
        assert_eq!(Token::parse(token.as_str()), Some(token.clone()));
        assert_eq!(format!("{token:?}"), "Token");
        assert!(!token.id().contains(token.as_str()) && token.id().len() == 32);
        for text in ["", "abc", "*", &format!("{}A", token.as_str())] {
            assert_eq!(Token::parse(text), None, "{text}");
        }
    }
}
