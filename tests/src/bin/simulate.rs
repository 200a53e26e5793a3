//! Runs the queue simulator for a long time.
//!
//! `cargo run --release -p integration --bin simulate -- --steps 10000000 --seed 1` runs
//! one seed after the other, each for at most `--run` steps, until the total number of
//! steps is reached, and prints what happened. `--mistakes 1` shows instead that mistakes
//! inserted into the scripts are found. If an invariant breaks, the run is shrunk,
//! printed with the steps that led to it, and the program ends.

use std::io::Write as _;
use std::time::Instant;

use anyhow::{Context as _, bail};
use integration::sim::{MISTAKES, Report, Settings, overlooked, run_with, shrink};

fn main() -> anyhow::Result<()> {
    let (mut steps, mut seed, mut each, mut mistakes) = (1_000_000, 1, 6_000, 0);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let number = words.next().and_then(|text| text.parse::<u64>().ok());
        let number = number.with_context(|| format!("{word}: expected a number"))?;
        match word.as_str() {
            "--steps" => steps = number,
            "--seed" => seed = number,
            "--run" => each = number,
            "--mistakes" => mistakes = number,
            _ => bail!("unknown argument {word}: expected --steps, --seed, --run or --mistakes"),
        }
    }
    if mistakes > 0 {
        let left = overlooked(&MISTAKES, &mut |mistake, seed| match seed {
            Some(seed) => println!("found with seed {seed}: {mistake}"),
            None => println!("not found: {mistake}"),
        });
        if !left.is_empty() {
            bail!(
                "{} of {} mistakes were not found",
                left.len(),
                MISTAKES.len()
            );
        }
        println!("all {} mistakes were found", MISTAKES.len());
        return Ok(());
    }
    let started = Instant::now();
    let mut total = Report::default();
    while total.steps < steps {
        let settings = Settings::of(seed, each.min(steps - total.steps));
        let done = total.steps;
        let mut tell = |report: &Report| {
            let n = done + report.steps;
            let rate = n as f64 / started.elapsed().as_secs_f64();
            eprint!("\rseed {seed}: {n} of {steps} steps, {rate:.0} a second ");
            let _ = std::io::stderr().flush();
        };
        match run_with(&settings, &mut tell) {
            Ok(report) => total.add(&report),
            Err(failure) => {
                eprintln!();
                println!("{total}\n{failure}\n\nshrinking");
                println!("{}", shrink(failure));
                bail!("an invariant was broken");
            }
        }
        seed += 1;
    }
    eprintln!();
    println!("{total}");
    println!("{:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}
