//! `dev`: runs the whole system on this machine, and tools that work with it.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use dev::bench::{BenchCommand, bench};
use dev::doctor::{DoctorCommand, doctor};
use dev::load_test::{LoadTestCommand, load_test};
use dev::{ExportCommand, ImportCommand, ScanCommand, UpCommand};

/// Run Trawl on this machine. Without a subcommand, `dev` runs `up`.
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
    /// Start the whole system and run it until Ctrl-C.
    Up(UpCommand),
    /// Scan a channel, follow the progress and list the clips it finds.
    Scan(ScanCommand),
    /// Write clips into a file, as CSV, JSON or JSON Lines.
    Export(ExportCommand),
    /// Scan a JSON file that DiscordChatExporter has saved, without a bot.
    Import(ImportCommand),
    /// Check that a database supports everything Trawl needs, then remove the test data.
    Doctor(DoctorCommand),
    /// Benchmark the functions' cold starts and warm requests against Node and Python.
    Bench(BenchCommand),
    /// Load-test the queue and verify that no job is lost or completed twice.
    LoadTest(LoadTestCommand),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Print the chain of causes but no backtrace: the usual cause is a typing mistake.
            eprintln!("error: {error}");
            for cause in error.chain().skip(1) {
                eprintln!("  caused by: {cause}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Returns whether all checks passed and all measurements met their goals.
async fn run(arguments: Arguments) -> anyhow::Result<bool> {
    match arguments.command {
        Some(Command::Bench(command)) => return bench(command).await,
        Some(Command::Doctor(command)) => return doctor(command).await,
        Some(Command::Scan(command)) => dev::scan(command).await,
        Some(Command::Export(command)) => dev::export(command).await,
        Some(Command::Import(command)) => dev::import(command).await,
        Some(Command::LoadTest(command)) => load_test(command).await,
        Some(Command::Up(command)) => dev::up(command).await,
        None => dev::up(arguments.up).await,
    }?;
    Ok(true)
}
