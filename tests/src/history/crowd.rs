//! Starts a crowd, disturbs it and checks the result.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::queue::Queue;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::check::History;
use super::log;

const DRAINERS: usize = 8;
const ENQUEUERS: usize = 4;

/// A drainer is killed and a fault is set each time this many more jobs have completed.
const JOBS_A_KILL: u64 = 12;
const JOBS_A_FAULT: u64 = 4;

/// Far longer than the rest takes on a slow machine once the disturbances have ended.
const PATIENCE: Duration = Duration::from_secs(60);

/// Interval between two reads of the queue's state.
const LOOK: Duration = Duration::from_millis(10);

/// Maximum number of violations to print.
const SHOWN: usize = 30;

/// What to run.
pub struct Plan {
    /// The binary `crowd`.
    pub program: PathBuf,
    /// How long jobs are enqueued.
    pub time: Duration,
    /// The seed for kills and faults.
    pub seed: u64,
}

/// What was done, and which guarantees were broken.
#[derive(Debug)]
pub struct Report {
    pub seed: u64,
    pub acknowledged: usize,
    pub runs: usize,
    pub rounds: usize,
    /// Leases that expired because their drainer was killed.
    pub stalled: u64,
    pub drainers_killed: u64,
    pub faults_fired: u64,
    pub most_active: usize,
    pub n_broken: usize,
    /// The first violations.
    pub broken: Vec<String>,
}

/// The processes.
struct Crowd<'a> {
    plan: &'a Plan,
    clock: Clock,
    url: String,
    control: String,
    folder: &'a Path,
    queue: Queue,
    drainers: Vec<Child>,
    enqueuers: Vec<Child>,
    random: fastrand::Rng,
    n_killed: u64,
    _endpoint: Child,
}

fn free_address() -> std::io::Result<SocketAddr> {
    std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()
}

async fn start(program: &Path, words: &[&str]) -> anyhow::Result<Child> {
    let mut child = Command::new(program)
        .args(words)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let stdout = child.stdout.take().context("no output")?;
    let first = BufReader::new(stdout).lines().next_line().await?;
    anyhow::ensure!(first.as_deref() == Some("ready"), "{words:?}: {first:?}");
    Ok(child)
}

impl Plan {
    /// Lets the crowd work for the given time and checks the result.
    ///
    /// # Errors
    /// If the run could not be completed. Violations are in the report instead.
    pub async fn run(&self) -> anyhow::Result<Report> {
        let folder = tempfile::tempdir()?;
        let mut crowd = Crowd::start(self, folder.path()).await?;
        let mut broken = Vec::new();
        crowd.harm().await?;
        broken.extend(crowd.come_to_rest().await?);
        let stalled = crowd.queue.stats().await?.lifetime.stalled;
        let faults_fired = crowd.control("GET", None).await?["fired"].as_u64();
        for drainer in &mut crowd.drainers {
            drainer.kill().await?;
        }
        let history = History::of(&log::read(folder.path())?);
        let checked = history.check();
        broken.extend(checked.broken);
        broken.extend(history.check_database(&crowd.queue).await?);
        Ok(Report {
            seed: self.seed,
            acknowledged: history.n_acknowledged(),
            runs: history.n_runs(),
            rounds: history.rounds.len(),
            stalled,
            drainers_killed: crowd.n_killed,
            faults_fired: faults_fired.unwrap_or_default(),
            most_active: checked.most_active,
            n_broken: broken.len(),
            broken: broken.into_iter().take(SHOWN).collect(),
        })
    }
}

impl<'a> Crowd<'a> {
    async fn start(plan: &'a Plan, folder: &'a Path) -> anyhow::Result<Crowd<'a>> {
        let (listen, control) = (free_address()?.to_string(), free_address()?.to_string());
        let endpoint = start(&plan.program, &["endpoint", &listen, &control]).await?;
        let clock = Clock::system();
        let url = format!("http://{listen}");
        let mut crowd = Crowd {
            plan,
            queue: super::queue(super::redis(&url, &clock)?, &clock),
            clock,
            url,
            control: format!("http://{control}/faults"),
            folder,
            drainers: Vec::new(),
            enqueuers: Vec::new(),
            random: fastrand::Rng::with_seed(plan.seed),
            n_killed: 0,
            _endpoint: endpoint,
        };
        for n in 0..DRAINERS {
            let drainer = crowd.drainer(n).await?;
            crowd.drainers.push(drainer);
        }
        let seconds = plan.time.as_secs().max(1).to_string();
        for n in 0..ENQUEUERS {
            let (name, folder) = (format!("enqueuer-{n}"), crowd.folder.to_string_lossy());
            let words = ["enqueuer", &name, &crowd.url, &folder, &seconds];
            let enqueuer = start(&plan.program, &words).await?;
            crowd.enqueuers.push(enqueuer);
        }
        Ok(crowd)
    }

    /// Starts a drainer under a new name.
    async fn drainer(&self, n: usize) -> anyhow::Result<Child> {
        let name = format!("drainer-{n}-{}", self.n_killed);
        let folder = self.folder.to_string_lossy();
        start(&self.plan.program, &["drainer", &name, &self.url, &folder]).await
    }

    /// Kills drainers and sets faults as the work progresses, until all jobs are
    /// enqueued.
    async fn harm(&mut self) -> anyhow::Result<()> {
        let deadline = self.clock.deadline(self.plan.time + PATIENCE);
        let (mut next_kill, mut next_fault) = (JOBS_A_KILL, JOBS_A_FAULT);
        while !self.all_stored()? {
            anyhow::ensure!(!deadline.remaining().is_zero(), "enqueuers do not end");
            // A fault may hit this read as well.
            let completed = match self.queue.stats().await {
                Ok(stats) => stats.lifetime.completed,
                Err(_) => continue,
            };
            if completed >= next_fault {
                next_fault = completed + JOBS_A_FAULT;
                let fault = self.fault();
                self.control("POST", Some(fault)).await?;
            }
            if completed >= next_kill {
                next_kill = completed + JOBS_A_KILL;
                let victim = self.random.usize(..DRAINERS);
                self.drainers[victim].kill().await?;
                self.n_killed += 1;
                self.drainers[victim] = self.drainer(victim).await?;
            }
            self.clock.sleep(LOOK).await;
        }
        self.control("DELETE", None).await?;
        Ok(())
    }

    /// Whether every enqueuer has ended with all its jobs acknowledged.
    fn all_stored(&mut self) -> anyhow::Result<bool> {
        let mut n_ended = 0;
        for enqueuer in &mut self.enqueuers {
            if let Some(status) = enqueuer.try_wait()? {
                anyhow::ensure!(status.success(), "an enqueuer failed");
                n_ended += 1;
            }
        }
        Ok(n_ended == ENQUEUERS)
    }

    fn fault(&mut self) -> Value {
        let action = match self.random.u32(..9) {
            0 => json!("dropBefore"),
            1 => json!("dropAfterCommit"),
            2 => json!({ "delay": self.random.u32(1..100) }),
            3 => json!("duplicate"),
            4 => json!({ "status": 503 }),
            5 => json!({ "statusAfterCommit": 502 }),
            6 => json!("quotaExceeded"),
            7 => json!("truncateBody"),
            _ => json!({ "notJson": 200 }),
        };
        json!({ "action": action, "skip": self.random.u32(..4), "times": self.random.u32(1..4) })
    }

    async fn control(&self, method: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let http = shared::http_client()?;
        let request = http.request(method.parse()?, &self.control);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        Ok(request.send().await?.error_for_status()?.json().await?)
    }

    /// Waits until no job is left. If that takes too long, returns what is left.
    async fn come_to_rest(&self) -> anyhow::Result<Option<String>> {
        let deadline = self.clock.deadline(PATIENCE);
        loop {
            let stats = self.queue.stats().await?;
            if stats.waiting + stats.delayed + stats.active == 0 {
                return Ok(None);
            }
            if deadline.remaining().is_zero() {
                return Ok(Some(format!("jobs are left over: {stats:?}")));
            }
            self.clock.sleep(LOOK).await;
        }
    }
}
