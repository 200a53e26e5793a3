//! `dev` as a person meets it: what it prints, how it ends.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// The program, without the settings of whoever runs the tests.
fn dev(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dev"));
    command.args(arguments).env_clear();
    command
}

fn run(arguments: &[&str]) -> Output {
    let output = dev(arguments).env("RUST_BACKTRACE", "1").output();
    output.unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A system that runs, and what it said when it started.
struct Up {
    child: Running,
    out: BufReader<std::process::ChildStdout>,
    url: String,
    /// Everything up to the end of the introduction.
    said: String,
}

/// Ends with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, which is the aim.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Up {
    fn start(mut command: Command) -> Up {
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = Running(command.spawn().unwrap());
        let mut out = BufReader::new(child.0.stdout.take().unwrap());
        let mut said = String::new();
        // The introduction ends with the hint that names the data folder.
        loop {
            let mut line = String::new();
            assert!(out.read_line(&mut line).unwrap() > 0, "it ended: {said}");
            said.push_str(&line);
            if line.trim_start().starts_with("--data") {
                break;
            }
        }
        let mut lines = said.lines();
        let url = lines.find_map(|line| line.strip_prefix("Trawl is ready at "));
        let url = url.unwrap().to_owned();
        Up {
            child,
            out,
            url,
            said,
        }
    }

    fn in_folder(folder: &Path) -> Up {
        let data = folder.to_str().unwrap();
        Up::start(dev(&[
            "--listen",
            "localhost:0",
            "--data",
            data,
            "--no-scan",
        ]))
    }

    /// How it ended, and what it wrote last.
    fn end(mut self) -> (Option<i32>, String) {
        let status = self.child.0.wait().unwrap();
        let mut last = String::new();
        self.out.read_to_string(&mut last).unwrap();
        let mut errors = self.child.0.stderr.take().unwrap();
        errors.read_to_string(&mut last).unwrap();
        (status.code(), last)
    }
}

fn signal(up: &Up, name: &str) {
    let id = up.child.0.id().to_string();
    let sent = Command::new("kill").args(["-s", name, &id]).status();
    assert!(sent.unwrap().success());
}

#[test]
fn it_has_a_version() {
    let output = run(&["--version"]);
    assert_eq!(
        text(&output.stdout),
        format!("dev {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_mistake_is_answered_with_its_causes_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    for (arguments, said) in [
        (
            &["scan", "--guild", "1", "--channel", "2", "--data", data][..],
            "TRAWL_API_KEY",
        ),
        (
            &["scan", "--guild", "1", "--channel", "2", "--url", "ftp://a"],
            "--url",
        ),
        (&["doctor"], "no database to check"),
        (&["doctor", "--url", "8079", "--data", data], "no token"),
    ] {
        let output = run(arguments);
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(
            errors.starts_with("error: ") && errors.contains(said),
            "{errors}"
        );
        assert!(errors.lines().count() <= 3, "{errors}");
        assert_eq!(text(&output.stdout), "", "{arguments:?}");
    }
    let output = run(&["--listen", "localhost"]);
    assert!(
        text(&output.stderr).contains("no port"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn a_scan_is_followed_to_a_table_of_its_clips() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let up = Up::in_folder(folder.path());
    let bare = up.url.trim_start_matches("http://").to_owned();
    let output = run(&[
        "scan",
        "--guild",
        "1212912186163200000",
        "--channel",
        "1212942385152000000",
        "--max-messages",
        "300",
        "--data",
        data,
        "--url",
        &bare,
    ]);
    let told = text(&output.stdout);
    assert!(output.status.success(), "{told} {}", text(&output.stderr));
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].starts_with("scan "), "{told}");
    assert!(
        lines[1].starts_with("NAME") && lines[1].ends_with("LINK"),
        "{told}"
    );
    assert!(lines[2].contains("http://127.0.0.1:"), "{told}");
    let more = lines
        .iter()
        .position(|line| line.starts_with("and "))
        .unwrap();
    assert_eq!(more, 22, "{told}");
    assert!(lines[more + 1].ends_with(" clips found"), "{told}");

    let doctor = run(&["doctor", "--url", "1", "--data", data]);
    let told = text(&doctor.stdout);
    assert!(
        told.starts_with("database  http://127.0.0.1:1 (named by --url)\n"),
        "{told}"
    );
    assert_eq!(doctor.status.code(), Some(1));

    signal(&up, "INT");
    let (code, last) = up.end();
    assert_eq!(code, Some(0), "{last}");
}

#[test]
fn the_first_start_shows_a_scan_and_then_what_to_do_next() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let start = || Up::start(dev(&["--listen", "localhost:0", "--data", data]));
    let up = start();
    let mut rest = up.said.as_str();
    for part in [
        "Starting Trawl\n",
        "  opening the embedded database",
        "  starting a sample Discord server",
        "  starting the functions",
        "Trawl is ready at http://",
        "Scanning #clips",
        "NAME ",
        "1046 clips found\n",
        "Open http://",
        "api key",
    ] {
        let at = rest.find(part);
        assert!(at.is_some(), "{part} is not where it belongs: {}", up.said);
        rest = &rest[at.unwrap()..];
    }
    signal(&up, "INT");
    assert_eq!(up.end().0, Some(0));

    // The channel is scanned now.
    let again = start();
    assert!(!again.said.contains("Scanning"), "{}", again.said);
    signal(&again, "INT");
    assert_eq!(again.end().0, Some(0));
}

#[test]
fn a_scan_at_the_start_can_be_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let mut command = dev(&["--listen", "localhost:0", "--data", data]);
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Running(command.spawn().unwrap());
    let mut out = BufReader::new(child.0.stdout.take().unwrap());
    let mut said = String::new();
    while !said.contains("\nscan ") {
        assert!(out.read_line(&mut said).unwrap() > 0, "it ended: {said}");
    }
    let id = child.0.id().to_string();
    let sent = Command::new("kill").args(["-s", "INT", &id]).status();
    assert!(sent.unwrap().success());
    out.read_to_string(&mut said).unwrap();
    assert_eq!(child.0.wait().unwrap().code(), Some(0), "{said}");
    assert!(said.ends_with("\nstopping\n"), "{said}");
}

#[test]
fn nothing_is_scanned_into_a_database_of_somebodys_own() {
    let folder = tempfile::tempdir().unwrap();
    let theirs = Up::in_folder(folder.path());
    let row = |name: &str| {
        let mut rows = theirs.said.lines().map(str::trim);
        let found = rows.find_map(|line| line.strip_prefix(name));
        found.unwrap().trim().to_owned()
    };
    let own = tempfile::tempdir().unwrap();
    let data = own.path().to_str().unwrap();
    let mut command = dev(&["--listen", "localhost:0", "--data", data]);
    command
        .env("REDIS_PROVIDER", "local")
        .env("UPSTASH_REDIS_REST_URL", row("database "))
        .env("UPSTASH_REDIS_REST_TOKEN", row("token "));
    let up = Up::start(command);
    assert!(up.said.contains("asking the database"), "{}", up.said);
    assert!(!up.said.contains("Scanning"), "{}", up.said);
}

#[test]
fn a_reader_that_goes_away_does_not_stop_the_system() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let mut command = dev(&["--listen", "localhost:0", "--data", data]);
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Running(command.spawn().unwrap());
    let mut out = BufReader::new(child.0.stdout.take().unwrap());
    let mut said = String::new();
    let url = loop {
        assert!(out.read_line(&mut said).unwrap() > 0, "it ended: {said}");
        let url = said
            .lines()
            .find_map(|line| line.strip_prefix("Trawl is ready at "));
        if let Some(url) = url {
            break url.to_owned();
        }
    };
    drop(out);
    // The scan that goes on prints into the closed pipe, and this one prints what it found.
    let (guild, channel) = ("1212912186163200000", "1212957484646400000");
    let mut words = vec!["scan", "--guild", guild, "--channel", channel];
    words.extend(["--max-messages", "300", "--data", data, "--url", &url]);
    let output = run(&words);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("clips found"));
    assert!(child.0.try_wait().unwrap().is_none(), "it stopped");
}

#[test]
fn a_scan_can_be_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let up = Up::in_folder(folder.path());
    let picture = folder.path().join("scan.svg");
    let (guild, channel) = ("1212912186163200000", "1212942385152000000");
    let drawn = picture.to_str().unwrap();
    let mut words = vec!["scan", "--guild", guild, "--channel", channel];
    words.extend(["--max-messages", "300", "--show", "3", "--data", data]);
    words.extend(["--url", &up.url, "--picture", drawn]);
    let output = run(&words);
    let told = text(&output.stdout);
    assert!(output.status.success(), "{told} {}", text(&output.stderr));
    let svg = std::fs::read_to_string(&picture).unwrap();
    // What was printed is what is shown: all lines but the one with the scan's id.
    for line in told.lines().skip(1) {
        let line: String = line.chars().take(60).collect();
        assert!(
            svg.contains(line.replace('&', "&amp;").trim_end()),
            "{line}"
        );
    }
    assert!(svg.contains("100%  300 read"), "{svg}");

    let file = folder.path().join("clips.jsonl");
    let out = file.to_str().unwrap();
    let mut words = vec![
        "export",
        "--guild",
        guild,
        "--channel",
        channel,
        "--format",
        "jsonl",
    ];
    words.extend(["--out", out, "--data", data, "--url", &up.url]);
    let output = run(&words);
    let told = text(&output.stdout);
    assert!(output.status.success(), "{told} {}", text(&output.stderr));
    let lines = std::fs::read_to_string(&file).unwrap();
    let n_clips = lines.lines().count();
    assert!(n_clips > 20 && lines.lines().all(|line| line.contains(channel)));
    assert_eq!(told, format!("{n_clips} clips in {out}\n"));
    // An existing file is kept.
    let again = run(&words);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("--force"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), lines);
    signal(&up, "INT");
    assert_eq!(up.end().0, Some(0));
}

#[test]
fn a_service_manager_stops_it_as_cleanly_as_a_person() {
    for name in ["TERM", "INT"] {
        let folder = tempfile::tempdir().unwrap();
        let up = Up::in_folder(folder.path());
        signal(&up, name);
        let (code, last) = up.end();
        assert_eq!(code, Some(0), "{name}: {last}");
        assert!(last.contains("stopping"), "{name}: {last}");
        // What was written is in the file itself: its log was put away.
        assert!(!folder.path().join("redis.db-wal").exists(), "{name}");
    }
}

#[test]
fn a_database_that_dies_takes_the_system_with_it_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    // No file may grow beyond this: a disk that is full, as far as the database can tell.
    let script = "trap '' XFSZ; ulimit -f 200; exec \"$0\" --listen 0 --no-scan --data \"$1\"";
    let mut shell = Command::new("sh");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_dev"), data]);
    shell.env_clear().env("PATH", "/usr/bin:/bin");
    let up = Up::start(shell);
    let bare = up.url.clone();
    // Reads every channel's clips until nothing more can be kept.
    for channel in ["1212942385152000000", "1212942385152000000"] {
        let _ = run(&[
            "scan",
            "--guild",
            "1212912186163200000",
            "--channel",
            channel,
            "--backfill",
            "--data",
            data,
            "--url",
            &bare,
        ]);
    }
    let (code, last) = up.end();
    assert_eq!(code, Some(1), "{last}");
    assert!(last.contains("error: the database has stopped: "), "{last}");
}
