//! The secrets of one function, and when they are read again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{Error, Parameters};
use crate::clock::Clock;
use crate::config::{SecretParameter, SecretsConfig};
use crate::secret::{Reason, Secret, Values};
use crate::telemetry;

/// The shortest interval between two reads because of age or of a caller's unknown key.
/// Anybody can cause the second, so it must not be short.
const SELDOM: Duration = Duration::from_secs(60);

/// The shortest interval between two reads because of a refused token. It is short, because
/// the token is probably being replaced at this moment, first at the service and then in
/// the store.
const SOON: Duration = Duration::from_secs(10);

/// The secrets that are stored as parameters.
pub struct SecretCache {
    config: SecretsConfig,
    source: Box<dyn Parameters>,
    clock: Clock,
    /// In the order of the settings.
    values: Mutex<Vec<Arc<str>>>,
    times: Mutex<Times>,
    /// Whoever holds the lock reads for all who wait, so a burst of requests makes one
    /// call.
    turn: tokio::sync::Mutex<()>,
}

/// Times on the monotonic clock.
#[derive(Clone, Copy)]
struct Times {
    /// When the values were read.
    read: Duration,
    /// When the latest read began.
    asked: Duration,
}

impl SecretCache {
    /// Reads every parameter of the settings, once.
    ///
    /// # Errors
    /// A parameter does not exist or has an invalid value, or the store is unavailable.
    pub async fn start(
        config: SecretsConfig,
        source: Box<dyn Parameters>,
        clock: Clock,
    ) -> Result<Arc<SecretCache>, Error> {
        let found = source.read(names(&config)).await.map_err(Error::Away)?;
        let values = select(&config, found)?;
        let now = clock.elapsed();
        let (read, asked) = (now, now);
        Ok(Arc::new(SecretCache {
            config,
            source,
            clock,
            values: Mutex::new(values),
            times: Mutex::new(Times { read, asked }),
            turn: tokio::sync::Mutex::default(),
        }))
    }

    /// Returns the secret of `setting`, if it is stored as a parameter.
    pub fn secret(self: &Arc<Self>, setting: &str) -> Option<Secret> {
        let mut parameters = self.config.parameters.iter();
        let place = parameters.position(|parameter| parameter.setting == setting)?;
        Some(Secret::cached(self.clone(), place))
    }

    /// Reads all values again, unless it is unnecessary or was done recently. Takes no
    /// longer than the settings allow. Callers that arrive in the meantime wait for it and
    /// get its result.
    async fn look_again(&self, reason: Reason<'_>, place: usize) {
        if !self.is_needed(reason, place) {
            return;
        }
        let _turn = self.turn.lock().await;
        if !self.is_needed(reason, place) || !self.is_due(reason) {
            return;
        }
        lock(&self.times).asked = self.clock.elapsed();
        let patience = self.clock.patience(self.config.patience);
        let reading = self.source.read(names(&self.config));
        let found = match tokio::time::timeout(patience, reading).await {
            Ok(found) => found.map_err(Error::Away),
            Err(_) => Err(Error::Away("it did not answer in time".into())),
        };
        match found.and_then(|found| select(&self.config, found)) {
            Ok(values) => self.take(values),
            Err(error) => {
                let error = telemetry::chain(&error);
                tracing::warn!(
                    error,
                    "secrets could not be read again: the previous ones stay in use"
                );
            }
        }
    }

    fn is_needed(&self, reason: Reason<'_>, place: usize) -> bool {
        match reason {
            Reason::Age => self.is_past(lock(&self.times).read, self.config.max_age),
            Reason::Unknown => true,
            Reason::Refused(value) => *lock(&self.values)[place] == *value,
        }
    }

    fn is_due(&self, reason: Reason<'_>) -> bool {
        let interval = match reason {
            Reason::Age | Reason::Unknown => SELDOM,
            Reason::Refused(_) => SOON,
        };
        self.is_past(lock(&self.times).asked, interval)
    }

    fn is_past(&self, from: Duration, interval: Duration) -> bool {
        self.clock.elapsed().saturating_sub(from) >= interval
    }

    fn take(&self, values: Vec<Arc<str>>) {
        let now = self.clock.elapsed();
        lock(&self.times).read = now;
        let mut current = lock(&self.values);
        for (parameter, (old, new)) in self
            .config
            .parameters
            .iter()
            .zip(current.iter_mut().zip(values))
        {
            if *old != new {
                *old = new;
                tracing::info!(setting = parameter.setting, "a secret was changed");
            }
        }
    }
}

impl Values for SecretCache {
    fn value(&self, place: usize) -> Arc<str> {
        lock(&self.values)[place].clone()
    }

    fn look<'a>(&'a self, reason: Reason<'a>, place: usize) -> BoxFuture<'a, ()> {
        self.look_again(reason, place).boxed()
    }
}

fn names(config: &SecretsConfig) -> Vec<String> {
    let mut names: Vec<String> = config
        .parameters
        .iter()
        .map(|k| k.parameter.clone())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Returns the values of the settings, or says what is wrong with them.
fn select(config: &SecretsConfig, found: HashMap<String, String>) -> Result<Vec<Arc<str>>, Error> {
    let value = |secret: &SecretParameter| found.get(&secret.parameter).map(|value| value.trim());
    let missing: Vec<String> = config
        .parameters
        .iter()
        .filter(|secret| value(secret).is_none())
        .map(|secret| format!("{} ({})", secret.parameter, secret.setting))
        .collect();
    if !missing.is_empty() {
        return Err(Error::Missing(missing.join(", ")));
    }
    let values: Vec<&str> = config.parameters.iter().filter_map(value).collect();
    config.check(&values).map_err(Error::Unusable)?;
    Ok(values.into_iter().map(Arc::from).collect())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
