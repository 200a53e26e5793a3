//! What keeps the secrets of one function fresh.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{Error, Parameters};
use crate::clock::Clock;
use crate::config::{KeptSecret, SecretsConfig};
use crate::secret::{Keep, Reason, Secret};
use crate::telemetry;

/// How often values that are too old, and keys nobody knows, may have them read again.
const SELDOM: Duration = Duration::from_secs(60);

/// How often a refused token may: somebody changes it just now, in one place after the
/// other.
const SOON: Duration = Duration::from_secs(10);

/// Keeps the secrets that are parameters.
pub struct Keeper {
    config: SecretsConfig,
    source: Box<dyn Parameters>,
    clock: Clock,
    /// In the order of the settings.
    values: Mutex<Vec<Arc<str>>>,
    times: Mutex<Times>,
    /// Who holds it reads for all.
    turn: tokio::sync::Mutex<()>,
}

/// On the monotonic clock.
#[derive(Clone, Copy)]
struct Times {
    /// When the values were read.
    read: Duration,
    /// When they were to be read.
    asked: Duration,
}

impl Keeper {
    /// Reads every parameter of the settings, once.
    ///
    /// # Errors
    /// The parameters that do not exist or cannot be used; that the store is away.
    pub async fn start(
        config: SecretsConfig,
        source: Box<dyn Parameters>,
        clock: Clock,
    ) -> Result<Arc<Keeper>, Error> {
        let found = source.read(names(&config)).await.map_err(Error::Away)?;
        let values = select(&config, found)?;
        let now = clock.elapsed();
        let (read, asked) = (now, now);
        Ok(Arc::new(Keeper {
            config,
            source,
            clock,
            values: Mutex::new(values),
            times: Mutex::new(Times { read, asked }),
            turn: tokio::sync::Mutex::default(),
        }))
    }

    /// The secret that `setting` is, if it is kept here.
    pub fn secret(self: &Arc<Self>, setting: &str) -> Option<Secret> {
        let mut kept = self.config.kept.iter();
        let place = kept.position(|kept| kept.setting == setting)?;
        Some(Secret::kept(self.clone(), place))
    }

    /// Reads all values again, unless there is no need or it was done just now. Takes
    /// as long as the settings allow, at most; those who come meanwhile wait for it and
    /// have what it found.
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
                tracing::warn!(error, "the secrets of before stay in use");
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
        for (kept, (old, new)) in self.config.kept.iter().zip(current.iter_mut().zip(values)) {
            if *old != new {
                *old = new;
                tracing::info!(setting = kept.setting, "a secret was changed");
            }
        }
    }
}

impl Keep for Keeper {
    fn value(&self, place: usize) -> Arc<str> {
        lock(&self.values)[place].clone()
    }

    fn look<'a>(&'a self, reason: Reason<'a>, place: usize) -> BoxFuture<'a, ()> {
        self.look_again(reason, place).boxed()
    }
}

fn names(config: &SecretsConfig) -> Vec<String> {
    let mut names: Vec<String> = config.kept.iter().map(|k| k.parameter.clone()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The settings' values, or what is wrong with them.
fn select(config: &SecretsConfig, found: HashMap<String, String>) -> Result<Vec<Arc<str>>, Error> {
    let value = |kept: &KeptSecret| found.get(&kept.parameter).map(|value| value.trim());
    let missing: Vec<String> = config
        .kept
        .iter()
        .filter(|kept| value(kept).is_none())
        .map(|kept| format!("{} ({})", kept.parameter, kept.setting))
        .collect();
    if !missing.is_empty() {
        return Err(Error::Missing(missing.join(", ")));
    }
    let values: Vec<&str> = config.kept.iter().filter_map(value).collect();
    config.check(&values).map_err(Error::Unusable)?;
    Ok(values.into_iter().map(Arc::from).collect())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
