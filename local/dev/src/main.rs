//! `dev`: starts the system, and speaks to it.

use clap::{Parser, Subcommand};
use dev::bench::{BenchCommand, bench};
use dev::doctor::{DoctorCommand, doctor};
use dev::load_test::{LoadTestCommand, load_test};
use dev::{ScanCommand, UpCommand};

/// Trawl on one machine. Without a command: `up`.
#[derive(Parser)]
#[command(name = "dev", args_conflicts_with_subcommands = true)]
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
async fn main() -> anyhow::Result<std::process::ExitCode> {
    let arguments = Arguments::parse();
    match arguments.command {
        Some(Command::Bench(command)) => {
            let is_kept = bench(command).await?;
            return Ok(std::process::ExitCode::from(u8::from(!is_kept)));
        }
        Some(Command::Doctor(command)) => {
            let is_well = doctor(command).await?;
            return Ok(std::process::ExitCode::from(u8::from(!is_well)));
        }
        Some(Command::Scan(command)) => dev::scan(command).await,
        Some(Command::LoadTest(command)) => load_test(command).await,
        Some(Command::Up(command)) => dev::up(command).await,
        None => dev::up(arguments.up).await,
    }?;
    Ok(std::process::ExitCode::SUCCESS)
}
