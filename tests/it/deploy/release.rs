//! Releases: the archives are found under the names that the packages promise.

use super::root;

fn read(path: &str) -> String {
    std::fs::read_to_string(root(path)).unwrap()
}

#[test]
fn an_archive_has_the_name_under_which_binstall_looks_for_it() {
    let script = read(".ci/release.bash");
    assert!(script.contains("archive=\"$program-$target.tar.gz\""));
    for (folder, name) in [("dev", "dev"), ("upstash", "upstash-local")] {
        let manifest: serde_json::Value =
            toml::from_str(&read(&format!("local/{folder}/Cargo.toml"))).unwrap();
        assert_eq!(manifest["package"]["name"], name);
        let binstall = &manifest["package"]["metadata"]["binstall"];
        assert_eq!(
            binstall["pkg-url"],
            "{ repo }/releases/download/v{ version }/{ name }-{ target }.tar.gz"
        );
        // The archive holds the program alone.
        assert_eq!(binstall["bin-dir"], "{ bin }{ binary-ext }");
        let programs = script.lines().find(|line| line.starts_with("programs="));
        assert!(programs.unwrap().contains(name));
    }
}

#[test]
fn a_release_has_both_systems_on_both_processors() {
    let workflow = read(".github/workflows/release.yml");
    for target in [
        "x86_64-unknown-linux-gnu",
        "aarch64-unknown-linux-gnu",
        "x86_64-apple-darwin",
        "aarch64-apple-darwin",
    ] {
        assert!(workflow.contains(&format!("target: {target},")), "{target}");
    }
    assert!(workflow.contains(".ci/release.bash ${{ matrix.target }}"));
    assert!(workflow.contains("actions/attest@"));
}

#[test]
fn the_readme_fits_on_two_screens_and_shows_a_scan() {
    let readme = read("README.md");
    assert!(readme.lines().count() < 120);
    assert!(readme.contains("](docs/scan.svg)"));
    let picture = read("docs/scan.svg");
    assert!(picture.contains("clips found</text>"), "no scan in it");
}
