//! A short run of the scripts under every fault. The program `simulate` runs for hours.

use integration::sim::{MISTAKES, Report, Settings, overlooked, run, shrink};

#[test]
fn no_fault_loses_a_job_or_does_one_twice() {
    let mut total = Report::default();
    for seed in 1..=8 {
        match run(&Settings::of(seed, 1000)) {
            Ok(report) => total.add(&report),
            Err(failure) => {
                let first = failure.to_string();
                panic!("{first}\n\nthe smallest:\n{}", shrink(failure));
            }
        }
    }
    assert_eq!(total.missing(), Vec::<String>::new(), "never happened");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let settings = Settings::of(6, 300);
    let runs = [run(&settings), run(&settings)].map(|run| run.expect("no invariant breaks"));
    assert_eq!(runs[0], runs[1]);
}

#[test]
fn a_mistake_put_into_the_scripts_is_found() {
    assert_eq!(
        overlooked(&MISTAKES[..3], &mut |_, _| {}),
        Vec::<&str>::new()
    );
}
