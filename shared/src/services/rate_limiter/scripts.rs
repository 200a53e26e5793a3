//! Calls the scripts and turns their results into types. No other module calls a script.

use super::{Algorithm, Check, Rule};
use crate::redis::{Error, LuaFiles, Pipeline, Redis, Script, Slot, lua_files};

const FILES: LuaFiles = lua_files![
    "answer",
    "bucket",
    "call",
    "ids",
    "log",
    "sliding_log",
    "sliding_log_refund",
    "sliding_window",
    "sliding_window_refund",
    "slots",
    "token_bucket",
    "token_bucket_refund",
];

static WINDOW: Script = Script::new("sliding_window", FILES);
static WINDOW_REFUND: Script = Script::new("sliding_window_refund", FILES);
static LOG: Script = Script::new("sliding_log", FILES);
static LOG_REFUND: Script = Script::new("sliding_log_refund", FILES);
static BUCKET: Script = Script::new("token_bucket", FILES);
static BUCKET_REFUND: Script = Script::new("token_bucket_refund", FILES);

/// Every script, for tests that read them.
pub static ALL: &[&Script] = &[
    &WINDOW,
    &WINDOW_REFUND,
    &LOG,
    &LOG_REFUND,
    &BUCKET,
    &BUCKET_REFUND,
];

/// Word, limit, remaining, reset.
pub(super) type Stored = (String, i64, i64, i64);

/// The scripts, bound to the keys of one caller.
pub(super) struct Scripts {
    pub state: String,
    pub limit: String,
    pub deny: String,
}

/// The arguments of every script.
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

    /// Not for the fixed window, which has no script; it would be counted as a sliding
    /// window.
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

    /// Refunds `check`.
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
