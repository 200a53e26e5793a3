//! Limits a process to the share of a processor that Lambda grants for a given memory
//! size.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::bail;

/// The memory that `template.yaml` gives the functions, and the memory at which Lambda
/// grants one whole processor, both in MB.
const MEMORY: u64 = 256;
const PROCESSOR_MEMORY: u64 = 1769;

/// How often a share starts anew, in microseconds, as measured on Lambda. With the
/// kernel's default of 100 ms, most cold starts would finish within their first share.
const PERIOD_US: u64 = 20_000;
const QUOTA_US: u64 = PERIOD_US * MEMORY / PROCESSOR_MEMORY;

/// A control group that limits its processes together. It is removed when this value is
/// dropped.
pub struct Share {
    folder: PathBuf,
}

impl Share {
    /// # Errors
    /// If this machine does not allow such a group. The message says why.
    pub fn new() -> anyhow::Result<Share> {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let places = places(&read("/proc/mounts"), &read("/proc/self/cgroup"));
        let name = format!("trawl-bench-{}", std::process::id());
        let mut why = "no cpu control group is mounted".to_owned();
        for place in places {
            match place.create(&name) {
                Ok(folder) => return Ok(Share { folder }),
                Err(error) => why = format!("{}: {error}", place.folder.display()),
            }
        }
        bail!("{why}")
    }

    /// Moves the process `id` into the group.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn take(&self, id: u32) -> io::Result<()> {
        std::fs::write(self.folder.join("cgroup.procs"), id.to_string())
    }

    /// How often the group was throttled.
    pub fn n_throttled(&self) -> Option<u64> {
        let stat = std::fs::read_to_string(self.folder.join("cpu.stat")).ok()?;
        let mut lines = stat.lines();
        lines
            .find_map(|line| line.strip_prefix("nr_throttled "))?
            .parse()
            .ok()
    }

    /// Describes the share for the report.
    pub fn told() -> String {
        let share = MEMORY as f64 / PROCESSOR_MEMORY as f64 * 100.0;
        format!("{share:.1} % of a processor, as Lambda gives {MEMORY} MB")
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        // A group that still contains a process cannot be removed; it does no harm.
        let _ = std::fs::remove_dir(&self.folder);
    }
}

/// A control group in which a child group can be created.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    folder: PathBuf,
    version: Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// The group of this process and its ancestors, innermost first.
fn places(mounts: &str, own: &str) -> Vec<Place> {
    let mut places = Vec::new();
    for line in mounts.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, mount, kind, options, ..] = fields[..] else {
            continue;
        };
        let version = match kind {
            "cgroup" if options.split(',').any(|option| option == "cpu") => Version::One,
            "cgroup2" => Version::Two,
            _ => continue,
        };
        let path = own.lines().find_map(|line| {
            let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
            let is_own = match version {
                Version::One => controllers.split(',').any(|name| name == "cpu"),
                Version::Two => controllers.is_empty(),
            };
            is_own.then_some(path)
        });
        let path = Path::new(path.unwrap_or("/").trim_start_matches('/'));
        places.extend(path.ancestors().map(|part| Place {
            folder: Path::new(mount).join(part),
            version,
        }));
    }
    places
}

impl Place {
    fn create(&self, name: &str) -> io::Result<PathBuf> {
        if self.version == Version::Two {
            let controllers = std::fs::read_to_string(self.folder.join("cgroup.controllers"))?;
            if !controllers.split_whitespace().any(|name| name == "cpu") {
                return Err(io::Error::other("does not control processors"));
            }
            std::fs::write(self.folder.join("cgroup.subtree_control"), "+cpu")?;
        }
        let folder = self.folder.join(name);
        std::fs::create_dir(&folder)?;
        let limited = match self.version {
            Version::One => {
                let write = |file: &str, us: u64| std::fs::write(folder.join(file), us.to_string());
                write("cpu.cfs_period_us", PERIOD_US)
                    .and_then(|()| write("cpu.cfs_quota_us", QUOTA_US))
            }
            Version::Two => {
                std::fs::write(folder.join("cpu.max"), format!("{QUOTA_US} {PERIOD_US}"))
            }
        };
        if let Err(error) = limited {
            let _ = std::fs::remove_dir(&folder);
            return Err(error);
        }
        Ok(folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_that_of_256_mb() {
        assert_eq!(QUOTA_US, 2894);
        assert_eq!(
            Share::told(),
            "14.5 % of a processor, as Lambda gives 256 MB"
        );
    }

    #[test]
    fn groups_are_looked_for_from_the_own_one_up() {
        let two = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n";
        let found = places(two, "0::/user.slice/me.scope\n");
        let found: Vec<_> = found
            .iter()
            .map(|place| place.folder.to_str().unwrap())
            .collect();
        assert_eq!(
            found,
            [
                "/sys/fs/cgroup/user.slice/me.scope",
                "/sys/fs/cgroup/user.slice",
                "/sys/fs/cgroup/"
            ]
        );
        let one = "cgroup /sys/fs/cgroup/cpuset cgroup rw,cpuset 0 0\n\
                   cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\n";
        let found = places(one, "4:cpuset:/other\n3:cpu,cpuacct:/\n");
        let folder = PathBuf::from("/sys/fs/cgroup/cpu,cpuacct/");
        let version = Version::One;
        assert_eq!(found, [Place { folder, version }]);
        assert_eq!(places("proc /proc proc rw 0 0\n", ""), []);
    }
}
