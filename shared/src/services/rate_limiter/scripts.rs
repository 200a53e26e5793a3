//! The scripts and their results as types. The only caller of a script.

use super::{Algorithm, Check, Rule};
use crate::redis::{Error, Pipeline, Redis, Script, Slot};

macro_rules! scripts {
    ($($name:ident = $word:literal: $($part:literal),+;)+) => {
        $(static $name: Script = Script::new($word, &[$(include_str!(concat!("scripts/", $part, ".lua"))),+]);)+

        /// Every script, for tests that read them.
        pub static ALL: &[&Script] = &[$(&$name),+];
    };
}

scripts! {
    WINDOW = "sliding_window": "call", "slots", "sliding_window";
    WINDOW_REFUND = "sliding_window_refund": "call", "slots", "sliding_window_refund";
    LOG = "sliding_log": "call", "log", "sliding_log";
    LOG_REFUND = "sliding_log_refund": "call", "log", "sliding_log_refund";
    BUCKET = "token_bucket": "call", "bucket", "token_bucket";
    BUCKET_REFUND = "token_bucket_refund": "call", "bucket", "token_bucket_refund";
}

/// Word, limit, remaining, reset.
pub(super) type Stored = (String, i64, i64, i64);

/// The scripts on the keys of one caller.
pub(super) struct Scripts {
    pub state: String,
    pub limit: String,
    pub deny: String,
}

/// What every script is told.
pub(super) struct Call<'a> {
    pub now_ms: i64,
    pub id: &'a str,
    pub weight: u32,
    pub parameters: Parameters,
}

pub(super) struct Parameters {
    limit: u32,
    window_ms: i64,
    burst: Option<u32>,
}

impl Parameters {
    pub fn of(rule: &Rule) -> Parameters {
        Parameters {
            limit: rule.limit,
            window_ms: rule.window_ms(),
            burst: match rule.algorithm {
                Algorithm::TokenBucket { burst } => Some(burst),
                _ => None,
            },
        }
    }
}

impl Call<'_> {
    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec![
            self.now_ms.to_string(),
            self.id.to_owned(),
            self.weight.to_string(),
            self.parameters.limit.to_string(),
            self.parameters.window_ms.to_string(),
        ];
        arguments.extend(self.parameters.burst.map(|burst| burst.to_string()));
        arguments
    }
}

impl Scripts {
    fn keys(&self) -> [&str; 3] {
        [&self.state, &self.limit, &self.deny]
    }

    /// The fixed window has no script and is not asked for here; it would be counted
    /// as a sliding one.
    pub fn add_check(
        &self,
        pipeline: &mut Pipeline,
        algorithm: Algorithm,
        call: &Call<'_>,
    ) -> Slot<Stored> {
        let script = match algorithm {
            Algorithm::FixedWindow | Algorithm::SlidingWindow => &WINDOW,
            Algorithm::SlidingLog => &LOG,
            Algorithm::TokenBucket { .. } => &BUCKET,
        };
        pipeline.add_script(script, &self.keys(), &call.arguments())
    }

    /// Takes `check` back.
    pub async fn refund(
        &self,
        redis: &Redis,
        check: &Check,
        call: &Call<'_>,
    ) -> Result<bool, Error> {
        let mut arguments = call.arguments();
        let script = match check.rule.algorithm {
            Algorithm::FixedWindow | Algorithm::SlidingWindow => {
                arguments.push(check.at_ms.to_string());
                &WINDOW_REFUND
            }
            Algorithm::SlidingLog => {
                arguments.push(check.id.clone());
                &LOG_REFUND
            }
            Algorithm::TokenBucket { .. } => &BUCKET_REFUND,
        };
        script.run(&**redis, &self.keys(), &arguments).await
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_script_says_what_it_returns() {
        let folder = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src/services/rate_limiter/scripts"
        );
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let head = text.lines().take_while(|line| line.starts_with("--"));
            assert!(
                head.into_iter().any(|line| line.starts_with("-- Returns")),
                "{}",
                path.display()
            );
        }
    }
}
