//! Every function, made as its `main` makes it.

use std::sync::Arc;
use std::time::Duration;

use drain::{Drain, Environment};
use enqueue::LambdaWake;
use shared::clock::Clock;
use shared::config::{AuthConfig, DiscordConfig, HttpConfig, QueueConfig, RedisConfig};
use shared::http::{Auth, Door, Services};
use shared::progress::Progress;
use shared::queue::{Queue, SCAN};
use shared::redis;
use shared::waker::{Wake, Waker};

/// What the functions are told.
#[derive(Clone)]
pub struct FunctionsConfig {
    pub redis: RedisConfig,
    pub auth: AuthConfig,
    pub http: HttpConfig,
    pub queue: QueueConfig,
    pub discord: DiscordConfig,
    /// Where `enqueue` invokes the drainer; `None` leaves jobs to the schedule.
    pub invoke_url: Option<String>,
}

/// The functions, in one process.
#[derive(Clone)]
pub struct Functions {
    pub doors: Vec<Function>,
    pub drain: Arc<Drain>,
    pub queue: Queue,
    pub clock: Clock,
}

/// A function that answers routes.
#[derive(Clone)]
pub struct Function {
    pub name: &'static str,
    pub door: Arc<dyn Door>,
}

/// How long a drain may take, as `template.yaml` grants it.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(900);

impl Functions {
    /// # Errors
    /// The setting that cannot be used.
    pub fn new(config: &FunctionsConfig, clock: &Clock) -> Result<Functions, redis::Error> {
        let redis = redis::connect(&config.redis, clock)?;
        let prefix = &config.redis.key_prefix;
        let queue = Queue::new(
            redis.clone(),
            prefix,
            SCAN,
            clock.clone(),
            config.queue.clone(),
        );
        let services = Services {
            redis: redis.clone(),
            auth: Auth::new(config.auth.clone()),
            clock: clock.clone(),
            config: config.http.clone(),
        };
        let wake = config
            .invoke_url
            .as_deref()
            .map(|url| -> Box<dyn Wake> { Box::new(LambdaWake::at_endpoint(url, "drain")) });
        let waker = Waker::new(wake, clock.clone());
        let progress = Progress::new(prefix);
        let doors = vec![
            function(
                "enqueue",
                enqueue::app(services.clone(), queue.clone(), waker),
            ),
            function(
                "jobs",
                jobs::app(services.clone(), queue.clone(), progress.clone()),
            ),
            function(
                "scan-stream",
                scan_stream::app(services, queue.clone(), progress),
            ),
        ];
        let environment = Environment::new(queue.clone(), redis, prefix, &config.discord)?;
        Ok(Functions {
            doors,
            drain: Arc::new(Drain::new(queue.clone(), environment)),
            queue,
            clock: clock.clone(),
        })
    }
}

fn function(name: &'static str, door: impl Door) -> Function {
    Function {
        name,
        door: Arc::new(door),
    }
}
