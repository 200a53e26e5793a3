//! What a drainer started by the schedule does before it drains: it enqueues recurring
//! jobs and scheduled scans that are due, and jobs left by other programs. Once an hour it
//! also cleans up and repairs. An idle minute costs one command.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use shared::clock::Clock;
use shared::config::{DrainConfig, MissedSetting, RecurringSetting};
use shared::input;
use shared::jobs::{ChannelScan, JobKind, JobRequest};
use shared::queue::{Error, JobId, Missed, NewJob, Queue, Recurring, Schedule, Slots};
use shared::redis::commands::streams::Entry;
use shared::redis::commands::{Keys as _, Server as _};
use shared::redis::{self, Redis};
use shared::scan::{Noted, ScanStore};
use shared::telemetry;

use crate::{Clients, schedules};

const HOUR_MS: i64 = 3_600_000;

/// The interval of the schedule. The first drainer of each hour cleans up.
const MINUTE_MS: i64 = 60_000;

/// Pages of the audit in an hour that is not idle. One page covers about 250 jobs.
const BUSY_PAGES: u32 = 20;

/// The result of a look for work.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Whether there are scans, or other jobs of their queue.
    pub has_jobs: bool,
    /// Whether clips wait to be looked into.
    pub has_clips: bool,
    /// Whether one more command fits into the budget of an idle hour.
    pub is_cheap: bool,
    /// Percentage of the database's memory in use. Queried every other hour; `None`
    /// otherwise, or if the database does not report it.
    pub memory_used: Option<f64>,
}

/// The chores of one environment and the state they keep.
pub struct Chores {
    stream: String,
    recurring: Vec<Recurring>,
    slots: tokio::sync::Mutex<Slots>,
    ignored: Ignored,
}

impl Chores {
    /// # Errors
    /// If a configured recurring job is invalid.
    pub fn new(config: &DrainConfig, clock: &Clock) -> Result<Chores, Error> {
        let recurring = config
            .recurring
            .iter()
            .map(|setting| recurring(setting, clock))
            .collect::<Result<_, Error>>()?;
        Ok(Chores {
            stream: config.stream.clone(),
            recurring,
            slots: tokio::sync::Mutex::default(),
            ignored: Ignored::default(),
        })
    }

    /// Does what is due. Recurring and foreign jobs are enqueued before the check for
    /// work ends, so the drain that follows runs them.
    ///
    /// # Errors
    /// If Redis stays unavailable.
    pub async fn run(
        &self,
        queue: &Queue,
        clips: &Queue,
        redis: &Redis,
        clients: &Clients,
    ) -> Result<Look, Error> {
        let (scans, clip_jobs) = (queue.keys().index.as_str(), clips.keys().index.as_str());
        let due = clients.schedules.keys().due();
        let [has_scans, has_foreign, has_clips, has_schedules] =
            which_exist(redis, [scans, &self.stream, clip_jobs, &due]).await?;
        let scans = Scans::default();
        // A failure here must not delay the queue's own jobs. It is logged, and the slots
        // stay unmarked, so the next run enqueues their jobs.
        let fired = {
            // The lock is held across the request on purpose. Otherwise two runs in one
            // environment would both send the same slots: the script would store them
            // once, but both would be billed.
            let mut slots = self.slots.lock().await;
            let fired = queue.fire(&self.recurring, &mut slots).await;
            fired.unwrap_or_else(|error| {
                let error = telemetry::chain(&error);
                tracing::error!(error, "recurring jobs could not be enqueued");
                0
            })
        };
        if fired > 0 {
            let jobs = self.recurring.iter().map(|recurring| &recurring.job);
            jobs.for_each(|job| scans.add(job, None));
        }
        let mut scheduled = 0;
        if has_schedules {
            let fired = schedules::fire_or_log(clients, queue, redis).await;
            scheduled = fired.jobs.len();
            fired
                .jobs
                .iter()
                .for_each(|job| scans.add(job, Some(&job.id)));
        }
        if has_foreign {
            let read = |entry: &Entry, id: JobId| {
                let job = read_foreign(entry, id.clone(), &self.ignored)?;
                scans.add(&job, Some(&id));
                Ok(job)
            };
            match queue.ingest(&self.stream, &read).await {
                Ok(ingested) => {
                    let (taken, refused) = (ingested.taken, ingested.refused);
                    tracing::info!(taken, refused, "jobs from the stream enqueued");
                }
                Err(error) => {
                    let error = telemetry::chain(&error);
                    tracing::error!(error, "jobs from the stream could not be enqueued");
                }
            }
        }
        let store = clients.store.on(redis);
        scans.note(&store, queue.clock().now_ms()).await;
        let has_jobs = has_scans || has_foreign || fired > 0 || scheduled > 0;
        let is_idle = !has_jobs && !has_clips;
        let (mut memory_used, mut is_cheap) = (None, false);
        if queue.clock().now_ms().rem_euclid(HOUR_MS) < MINUTE_MS {
            self.tidy([queue, clips], is_idle).await;
            // In odd hours an idle queue is not audited. The saved commands pay for the
            // monthly command count and the memory query, so that every idle hour costs
            // the same.
            is_cheap = is_idle && hour(queue) % 2 == 1;
            if !is_idle || is_cheap {
                memory_used = memory_share(redis).await;
            }
        }
        Ok(Look {
            has_jobs,
            has_clips,
            is_cheap,
            memory_used,
        })
    }

    /// Tidies the queues. If they are idle, each has its turn every other hour, so that an
    /// idle hour costs the same however many queues there are.
    async fn tidy(&self, queues: [&Queue; 2], is_idle: bool) {
        let turn = hour(queues[0]).rem_euclid(4) as usize;
        for (n, queue) in queues.into_iter().enumerate() {
            match (is_idle, turn) {
                (false, _) => self.tidy_one(queue, is_idle, true).await,
                // An audit every fourth hour; see `run` for the odd ones.
                (true, 0 | 2) if turn / 2 == n => self.tidy_one(queue, is_idle, true).await,
                (true, 1 | 3) if turn / 2 == n => self.tidy_one(queue, is_idle, false).await,
                (true, _) => {}
            }
        }
    }

    /// Applies retention, in case no job ends in this queue, and audits some pages. After
    /// a failure the next turn tries again.
    async fn tidy_one(&self, queue: &Queue, is_idle: bool, audits: bool) {
        if let Err(error) = queue.retain_idle().await {
            tracing::warn!(error = telemetry::chain(&error), "retention failed");
        }
        let pages = match is_idle {
            true => u32::from(audits),
            false => BUSY_PAGES,
        };
        for _ in 0..pages {
            match queue.audit_page(is_idle).await {
                Ok(audited) if audited.is_last => break,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(error = telemetry::chain(&error), "audit failed");
                    break;
                }
            }
        }
    }
}

/// Tells which of the keys exist, with one command. EXISTS counts a key as often as it is
/// named, so the first key is named once, the second twice, the third four times and so
/// on, and the sum tells them apart.
async fn which_exist<const N: usize>(
    redis: &Redis,
    keys: [&str; N],
) -> Result<[bool; N], redis::Error> {
    let named = keys.iter().enumerate();
    let named: Vec<&str> = named
        .flat_map(|(n, key)| std::iter::repeat_n(*key, 1 << n))
        .collect();
    let found = redis.exists(&named).await?;
    Ok(std::array::from_fn(|n| found >> n & 1 == 1))
}

fn hour(queue: &Queue) -> i64 {
    queue.clock().now_ms().div_euclid(HOUR_MS)
}

async fn memory_share(redis: &Redis) -> Option<f64> {
    let info = redis.info("memory").await.ok()?;
    let number = |name: &str| -> Option<f64> {
        let mut lines = info.lines().filter_map(|line| line.trim().split_once(':'));
        lines.find(|(n, _)| *n == name)?.1.parse().ok()
    };
    let most = number("maxmemory").filter(|most| *most > 0.0)?;
    Some(100.0 * number("used_memory")? / most)
}

/// Scans that do not arrive over HTTP, by guild. They are noted so that their channels
/// are listed while they wait.
#[derive(Default)]
struct Scans {
    found: Mutex<BTreeMap<String, Vec<Noted>>>,
}

impl Scans {
    /// Adds the job if it is a scan, with its ID if that is known.
    fn add(&self, job: &NewJob, id: Option<&JobId>) {
        if !JobKind::named(&job.kind).is_some_and(|kind| kind.is_scan) {
            return;
        }
        let Ok(scan) = serde_json::from_str::<ChannelScan>(&job.args) else {
            return;
        };
        let noted = Noted {
            channel_id: scan.channel_id,
            job_id: id.map(JobId::to_string),
            name: None,
            parent_id: None,
        };
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.entry(scan.guild_id).or_default().push(noted);
    }

    /// Notes the scans. A failure is logged; the channels are then listed once their
    /// scans start.
    async fn note(self, store: &ScanStore, now: i64) {
        let found = self.found.into_inner();
        for (guild, scans) in found.unwrap_or_else(PoisonError::into_inner) {
            if let Err(error) = store.note(&guild, &scans, now).await {
                let error = telemetry::chain(&error);
                tracing::warn!(
                    error,
                    "channels could not be noted; they are listed once their scans start"
                );
            }
        }
    }
}

/// Parses a job left by another program: the fields `type` and `data`, where `data` is
/// the job as JSON. The type may be in the JSON instead.
fn read_foreign(entry: &Entry, id: JobId, ignored: &Ignored) -> Result<NewJob, String> {
    let data = entry.field("data").ok_or("data: required")?;
    let mut json: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(data).map_err(|_| "data: expected a JSON object".to_owned())?;
    if let Some(kind) = entry.field("type") {
        json.insert("type".to_owned(), kind.into());
    }
    // Producers send `null` for fields they do not set.
    json.retain(|_, value| !value.is_null());
    let text = serde_json::Value::Object(json).to_string();
    let parsed = input::parse_leniently::<JobRequest>(&text);
    let (request, unknown) = parsed.map_err(|wrong| wrong.listed())?;
    let unknown = unknown.iter().map(String::as_str);
    ignored.add(unknown.chain(request.misplaced()));
    request.into_job(id).map_err(|wrong| wrong.to_string())
}

/// Fields of other programs' jobs that Trawl does not know. Each is logged once per
/// environment.
#[derive(Default)]
struct Ignored(Mutex<BTreeSet<String>>);

impl Ignored {
    /// Maximum number of remembered names, because a program may make them up.
    const MOST: usize = 100;

    /// Returns how many of them are new.
    fn add<'a>(&self, fields: impl Iterator<Item = &'a str>) -> usize {
        let mut n_new = 0;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for field in fields {
            let field: String = field.chars().take(64).collect();
            if known.len() < Self::MOST && known.insert(field.clone()) {
                tracing::warn!(field, "ignoring an unknown field of jobs from the stream");
                n_new += 1;
            }
        }
        n_new
    }
}

fn recurring(setting: &RecurringSetting, clock: &Clock) -> Result<Recurring, Error> {
    let name = &setting.name;
    let invalid = |reason: String| Error::Invalid(format!("recurring job `{name}`: {reason}"));
    let schedule = match (&setting.cron, setting.every()) {
        (Some(pattern), _) => Schedule::cron(pattern),
        (None, Some(pause)) => Schedule::every(pause),
        (None, None) => Err(Error::Invalid("cron: required".to_owned())),
    };
    let schedule = schedule.and_then(|schedule| {
        schedule.check_fires(clock.now_ms())?;
        Ok(schedule)
    });
    let job = input::parse_object::<JobRequest>(&setting.job.to_string())
        .map_err(|wrong| wrong.listed())
        .and_then(
            |request| match (request.misplaced().first(), request.run_at()) {
                (Some(field), _) => Err(format!("{field}: not a field of type {}", request.kind())),
                (None, Some(_)) => Err(
                    "runAt: not allowed, because the schedule determines when the job runs"
                        .to_owned(),
                ),
                (None, None) => request
                    .into_job(JobId::new(clock))
                    .map_err(|wrong| wrong.to_string()),
            },
        )
        .map_err(|reason| invalid(format!("job.{reason}")))?;
    Ok(Recurring {
        name: name.clone(),
        schedule: schedule.map_err(|error| invalid(error.to_string()))?,
        missed: match setting.missed {
            MissedSetting::Skip => Missed::Skip,
            MissedSetting::RunOnce => Missed::RunOnce,
        },
        job,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_nothing_reads_is_logged_once_and_not_without_end() {
        let ignored = Ignored::default();
        assert_eq!(ignored.add(["colour", "options.size"].into_iter()), 2);
        assert_eq!(ignored.add(["colour", "colour"].into_iter()), 0);
        let many: Vec<String> = (0..1000).map(|n| format!("field{n}")).collect();
        ignored.add(many.iter().map(String::as_str));
        assert_eq!(ignored.0.lock().map(|known| known.len()).ok(), Some(100));
    }
}
