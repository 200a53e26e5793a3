//! The keys of callers.

use super::environment::{ConfigError, Environment};
use super::secrets;
use crate::secret::Secret;

/// The keys that callers authenticate with.
#[derive(Clone)]
pub struct AuthConfig {
    /// Allows the use of all routes but the admin ones. From `TRAWL_API_KEY`.
    pub api_key: Secret,
    /// Also allows the use of the admin routes. From `TRAWL_ADMIN_KEY`.
    pub admin_key: Secret,
}

impl AuthConfig {
    /// Reads this section.
    ///
    /// # Errors
    /// A key is missing, is shorter than 16 characters, or equals the other.
    pub fn read(env: &Environment<'_>) -> Result<AuthConfig, ConfigError> {
        let key = |name: &'static str| {
            let key = env.secret(name)?;
            secrets::check_key(name, &key.value())?;
            Ok(key)
        };
        let config = AuthConfig {
            api_key: key("TRAWL_API_KEY")?,
            admin_key: key("TRAWL_ADMIN_KEY")?,
        };
        secrets::check_difference(&config.api_key.value(), &config.admin_key.value())?;
        Ok(config)
    }
}
