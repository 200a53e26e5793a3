//! A small benchmark run with the code of `dev bench`, on a debug build of a function.

use std::path::Path;
use std::time::Duration;

use dev::bench::{CASES, Case, Link, Measured, Plan, Program, Site, measure, tables, variants};
use indicatif::ProgressBar;

use crate::deploy;

const PLAN: Plan = Plan { runs: 1, warm: 2 };

/// A function that reads, with `settings` in addition to those of the benchmark.
fn reader(settings: &[(&str, &str)]) -> Program {
    let path = Path::new(env!("CARGO_BIN_EXE_function"));
    let settings = settings.iter();
    Program {
        arguments: vec!["clips".to_owned()],
        environment: settings
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..Program::function(Case::of("clips").unwrap(), path).unwrap()
    }
}

async fn bench(program: Program) -> anyhow::Result<Vec<Measured>> {
    let site = Site::start(None).await?;
    let measured = async {
        let variants = variants(&site, &[program]).await?;
        measure(&PLAN, &site, &variants, None, &ProgressBar::hidden()).await
    };
    let measured = measured.await;
    site.stop().await;
    measured
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_is_measured_without_tls_and_with_it() {
    let program = reader(&[]);
    let measured = bench(program.clone()).await.unwrap();

    let links: Vec<Link> = measured.iter().map(|m| m.link).collect();
    let expected = Link::ALL.into_iter().filter(|link| link.suits(&program));
    assert_eq!(links, expected.collect::<Vec<_>>());
    assert!(links.contains(&Link::Plain) && links.contains(&Link::Tls));
    for m in &measured {
        let parts = [m.init.p50, m.first.p50, m.warm.p50, m.bare.p50];
        assert!(parts.iter().all(|time| !time.is_zero()), "{m:?}");
        assert_eq!(m.total.p50, m.init.p50 + m.first.p50, "of one run");
        assert!(m.total.p50 < Duration::from_secs(60));
        assert_eq!(m.requests, 1, "of one read");
        if cfg!(target_os = "linux") {
            let peak = m.peak_bytes.unwrap();
            assert!((1_000_000..1_000_000_000).contains(&peak), "{peak}");
            assert!(m.warm_peak_bytes.unwrap() >= 1_000_000);
        }
    }
    let text = tables(&measured);
    let rows = text.lines().filter(|line| line.starts_with("clips "));
    assert_eq!(rows.count(), measured.len(), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_that_does_not_start_ends_the_run_with_its_own_log() {
    let error = bench(reader(&[("REDIS_CA_FILE", "/nowhere/root.pem")])).await;
    let told = format!("{:#}", error.unwrap_err());
    assert!(told.contains("clips ended: exit status"), "{told}");
    assert!(told.contains("REDIS_CA_FILE: /nowhere/root.pem"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_with_an_unknown_root_certificate_is_not_trusted() {
    let error = bench(reader(&[("REDIS_CA_FILE", "")])).await;
    let told = format!("{:#}", error.unwrap_err());
    assert!(told.contains("clips with TLS"), "{told}");
    assert!(told.contains("answered") && told.contains("503"), "{told}");
}

#[test]
fn every_function_is_measured() {
    let known: Vec<String> = CASES.iter().map(|case| case.name.to_owned()).collect();
    assert_eq!(known, deploy::functions().into_iter().collect::<Vec<_>>());
}
