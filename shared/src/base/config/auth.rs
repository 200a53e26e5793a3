//! The keys of callers.

use super::environment::{ConfigError, Environment};
use super::secrets;
use crate::secret::Secret;

/// The keys callers sign with.
#[derive(Clone)]
pub struct AuthConfig {
    /// May use the routes, from `TRAWL_API_KEY`.
    pub api_key: Secret,
    /// May also use the admin routes, from `TRAWL_ADMIN_KEY`.
    pub admin_key: Secret,
}

impl AuthConfig {
    /// # Errors
    /// A missing key, one shorter than 16 characters, or twice the same.
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
