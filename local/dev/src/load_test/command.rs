//! Command line options of `dev load-test`.

use clap::Args;

/// Load-test the queue and verify that no job is lost or completed twice.
#[derive(Args, Clone, Debug)]
pub struct LoadTestCommand {
    /// Number of jobs, from 1 to 10,000,000.
    #[arg(long, value_name = "N", default_value = "100000", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub jobs: u32,
    /// Jobs that one drainer runs concurrently, from 1 to 50.
    #[arg(long, value_name = "N", default_value = "5", value_parser = clap::value_parser!(u16).range(1..=50))]
    pub concurrency: u16,
    /// Number of drainers, from 1 to 64.
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub drainers: u16,
    /// Fraction of jobs whose first attempt fails, from 0 to 0.5.
    #[arg(long, value_name = "FRACTION", default_value = "0.05", value_parser = share)]
    pub failing: f64,
    /// Fraction of jobs that lose their lease because their drainer is killed, from 0 to
    /// 0.5.
    #[arg(long, value_name = "FRACTION", default_value = "0.01", value_parser = share)]
    pub crashing: f64,
    /// Random seed that decides which jobs fail and which kill their drainer.
    #[arg(long, default_value = "1")]
    pub seed: u64,
    /// Also test on this real Redis behind the endpoint, such as redis://127.0.0.1:6379.
    /// Other keys in it are left alone.
    #[arg(long, value_name = "URL")]
    pub redis: Option<String>,
    /// Also compare with BullMQ, on the Redis of --redis or on one started for the
    /// comparison.
    #[arg(long)]
    pub bullmq: bool,
    /// Jobs per run in the comparison with BullMQ, from 1 to 10,000,000. No drainer is
    /// killed in these runs.
    #[arg(long, value_name = "N", default_value = "20000", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub bullmq_jobs: u32,
    /// Repetitions of each run in the comparison, from 1 to 100. The fastest one counts,
    /// because other load on the machine can only slow a run down.
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u16).range(1..=100))]
    pub rounds: u16,
}

fn share(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|n| (0.0..=0.5).contains(n));
    number.ok_or_else(|| "expected a number from 0 to 0.5".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        command: LoadTestCommand,
    }

    fn parse(words: &[&str]) -> Result<LoadTestCommand, String> {
        let words = std::iter::once(&"dev").chain(words);
        let parsed = Arguments::try_parse_from(words).map_err(|error| error.to_string())?;
        Ok(parsed.command)
    }

    #[test]
    fn without_words_it_is_the_run_that_is_published() {
        let command = parse(&[]).unwrap();
        assert_eq!(
            (command.jobs, command.concurrency, command.drainers),
            (100_000, 5, 1)
        );
        assert_eq!((command.failing, command.crashing), (0.05, 0.01));
        assert!(command.redis.is_none() && !command.bullmq);
    }

    #[test]
    fn a_share_that_is_none_is_refused_with_what_it_may_be() {
        for wrong in ["0.6", "-0.1", "NaN", "much"] {
            let message = parse(&[&format!("--failing={wrong}")]).unwrap_err();
            assert!(
                message.contains("expected a number from 0 to 0.5"),
                "{message}"
            );
        }
        assert!(parse(&["--jobs", "0"]).is_err());
        assert!(parse(&["--concurrency", "51"]).is_err());
    }
}
