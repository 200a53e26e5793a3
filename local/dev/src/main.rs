//! `dev`: starts the system, and speaks to it.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use dev::bench::{BenchCommand, bench};
use dev::doctor::{DoctorCommand, doctor};
use dev::load_test::{LoadTestCommand, load_test};
use dev::{ScanCommand, UpCommand};

/// Trawl on one machine. Without a command: `up`.
#[derive(Parser)]
#[command(name = "dev", version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    up: UpCommand,
}

#[derive(Subcommand)]
enum Command {
    /// Start everything, until Ctrl-C.
    Up(UpCommand),
    /// Scan a channel and follow the scan to its clips.
    Scan(ScanCommand),
    /// Check the database: each of its uses, with its time, cleaning up afterwards.
    Doctor(DoctorCommand),
    /// Measure how functions start and answer, beside Node and Python.
    Bench(BenchCommand),
    /// Measure the queue under load, and check that it loses nothing.
    LoadTest(LoadTestCommand),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // The causes, for a person; where in the program it happened helps nobody who
            // mistyped something.
            eprintln!("error: {error}");
            for cause in error.chain().skip(1) {
                eprintln!("  because: {cause}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Whether what was checked or measured is as it should be.
async fn run(arguments: Arguments) -> anyhow::Result<bool> {
    match arguments.command {
        Some(Command::Bench(command)) => return bench(command).await,
        Some(Command::Doctor(command)) => return doctor(command).await,
        Some(Command::Scan(command)) => dev::scan(command).await,
        Some(Command::LoadTest(command)) => load_test(command).await,
        Some(Command::Up(command)) => dev::up(command).await,
        None => dev::up(arguments.up).await,
    }?;
    Ok(true)
}
