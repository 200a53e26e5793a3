//! Prints the results of a run.

use std::time::Duration;

use super::bullmq::BullMqMeasured;
use super::run::{Measured, Phase};
use crate::measure::table::{Table, megabytes, milliseconds, ratio, seconds, two_digits, whole};

/// One column per target, one row per measurement.
pub fn runs(named: &[(&str, &Measured)]) -> String {
    let mut table = Table::new(
        std::iter::once(String::new()).chain(named.iter().map(|(name, _)| (*name).to_owned())),
    );
    let mut row = |name: &str, cell: fn(&Measured) -> String| {
        table.row(name, named.iter().map(|(_, measured)| cell(measured)));
    };
    row("enqueue: jobs/s", |m| whole(rate(m, &m.enqueue)));
    row("enqueue: billed per job", |m| per_job(m, m.enqueue.billed));
    row("enqueue: round trips per job", |m| {
        per_job(m, m.enqueue.round_trips)
    });
    row("drain: jobs/s", |m| whole(rate(m, &m.drain)));
    row("drain: jobs/s, excluding waits", |m| {
        whole(m.plan.work.jobs as f64 / (m.drain.took.saturating_sub(m.drained.idle)).as_secs_f64())
    });
    row("drain: time", |m| seconds(m.drain.took));
    row("drain: time waiting for leases", |m| {
        seconds(m.drained.idle)
    });
    row("drain: billed per job", |m| per_job(m, m.drain.billed));
    row("drain: round trips per job", |m| {
        per_job(m, m.drain.round_trips)
    });
    row("drain: a tick, p50", |m| milliseconds(m.drain.times.p50));
    row("drain: a tick, p99", |m| milliseconds(m.drain.times.p99));
    row("drain: processor, drainers", |m| cpu(m.drain.own_cpu));
    row("drain: processor, endpoint", |m| cpu(m.drain.endpoint_cpu));
    row("billed per job, both", |m| {
        per_job(m, m.enqueue.billed + m.drain.billed)
    });
    row("memory: this process, peak", |m| megabytes(m.own_bytes));
    row("memory: endpoint, peak", |m| megabytes(m.endpoint_bytes));
    row("memory: endpoint, idle", |m| {
        megabytes(m.endpoint_idle_bytes)
    });
    row("failed attempts", |m| whole(m.verdict.retried as f64));
    row("drainers killed", |m| whole(m.drained.deaths as f64));
    row("outcomes refused", |m| whole(m.drained.refused as f64));
    row("expired leases", |m| whole(m.verdict.stalled as f64));
    row("handlers started", |m| whole(m.runs as f64));
    row("completions accepted", |m| {
        whole(m.verdict.completed as f64)
    });
    row("lost, or accepted twice", |_| "0".to_owned());
    row("retention: jobs deleted", |m| whole(m.forgotten as f64));
    row("retention: time", |m| seconds(m.retention.took));
    row("retention: billed per job", |m| {
        two_digits(m.retention.billed as f64 / m.forgotten.max(1) as f64)
    });
    row("retention: a call, p99", |m| {
        milliseconds(m.retention.times.p99)
    });
    table.to_string()
}

/// Compares each target with BullMQ at one level of concurrency. Ratios are Trawl's value
/// to BullMQ's.
pub fn comparison(named: &[(&str, &Measured)], bullmq: &BullMqMeasured) -> String {
    let mut head = vec![String::new()];
    head.extend(named.iter().map(|(name, _)| (*name).to_owned()));
    head.push(format!("BullMQ {}", bullmq.version));
    head.extend(named.iter().map(|(name, _)| format!("ratio, {name}")));
    let mut table = Table::new(head);
    let jobs = bullmq.completed.max(1) as f64;
    let mut row =
        |name: &str, write: fn(f64) -> String, ours: fn(&Measured) -> Option<f64>, theirs: f64| {
            let known = |value: Option<f64>| value.map_or("unknown".to_owned(), write);
            let mut cells: Vec<String> = named.iter().map(|(_, m)| known(ours(m))).collect();
            cells.push(write(theirs));
            cells.extend(
                named.iter().map(|(_, m)| {
                    ours(m).map_or("unknown".to_owned(), |value| ratio(value, theirs))
                }),
            );
            table.row(name, cells);
        };
    row(
        "enqueue: jobs/s",
        whole,
        |m| Some(rate(m, &m.enqueue)),
        jobs / bullmq.enqueue.took().as_secs_f64(),
    );
    row(
        "drain: jobs/s",
        whole,
        |m| Some(rate(m, &m.drain)),
        jobs / bullmq.drain.took().as_secs_f64(),
    );
    row(
        "enqueue: commands per job",
        two_digits,
        |m| Some(m.enqueue.billed as f64 / m.plan.work.jobs as f64),
        bullmq.enqueue.commands as f64 / jobs,
    );
    row(
        "drain: commands per job",
        two_digits,
        |m| Some(m.drain.billed as f64 / m.plan.work.jobs as f64),
        bullmq.drain.commands as f64 / jobs,
    );
    row(
        "settle round trip, p50",
        as_milliseconds,
        |m| Some(m.drain.times.p50.as_secs_f64()),
        bullmq.p50().as_secs_f64(),
    );
    row(
        "settle round trip, p99",
        as_milliseconds,
        |m| Some(m.drain.times.p99.as_secs_f64()),
        bullmq.p99().as_secs_f64(),
    );
    row(
        "drain: processor, drainer",
        as_seconds,
        |m| m.drain.own_cpu.map(|time| time.as_secs_f64()),
        bullmq.cpu().as_secs_f64(),
    );
    row(
        "memory: drainer, peak",
        as_megabytes,
        |m| m.own_bytes.map(|bytes| bytes as f64),
        bullmq.node_bytes as f64,
    );
    row(
        "memory: the jobs, all kept",
        as_megabytes,
        |m| m.data_bytes.map(|bytes| bytes as f64),
        bullmq.redis_bytes as f64,
    );
    table.to_string()
}

fn rate(measured: &Measured, phase: &Phase) -> f64 {
    measured.plan.work.jobs as f64 / phase.took.as_secs_f64().max(f64::EPSILON)
}

fn per_job(measured: &Measured, n: u64) -> String {
    two_digits(n as f64 / measured.plan.work.jobs as f64)
}

fn cpu(time: Option<Duration>) -> String {
    time.map_or("with the above".to_owned(), seconds)
}

fn as_milliseconds(time_s: f64) -> String {
    milliseconds(Duration::from_secs_f64(time_s))
}

fn as_seconds(time_s: f64) -> String {
    seconds(Duration::from_secs_f64(time_s))
}

fn as_megabytes(bytes: f64) -> String {
    megabytes(Some(bytes as u64))
}
