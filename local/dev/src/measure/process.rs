//! Memory and processor time of a process. Available on Linux only.

use std::time::Duration;

/// The unit in which the kernel reports processor time, whatever its timer frequency.
const TICK: Duration = Duration::from_millis(10);

/// A process, by its ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process(pub u32);

impl Process {
    /// This process.
    pub fn own() -> Process {
        Process(std::process::id())
    }

    /// Peak memory since its start or since [`Process::forget_peak`], in bytes.
    pub fn peak_bytes(self) -> Option<u64> {
        field_kb(&self.read("status")?, "VmHWM:").map(|kb| kb * 1024)
    }

    /// Current memory, in bytes.
    pub fn resident_bytes(self) -> Option<u64> {
        field_kb(&self.read("status")?, "VmRSS:").map(|kb| kb * 1024)
    }

    /// Resets the peak to the current memory. If the system refuses, the peak stays as it
    /// was.
    pub fn forget_peak(self) {
        let _ = std::fs::write(format!("/proc/{}/clear_refs", self.0), "5");
    }

    /// Processor time used so far.
    pub fn cpu(self) -> Option<Duration> {
        ticks(&self.read("stat")?).map(|ticks| TICK.saturating_mul(ticks))
    }

    fn read(self, name: &str) -> Option<String> {
        std::fs::read_to_string(format!("/proc/{}/{name}", self.0)).ok()
    }
}

fn field_kb(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// User plus system time. The program name in parentheses may contain any character.
fn ticks(stat: &str) -> Option<u32> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    user.checked_add(system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_by_its_name() {
        let status = "Name:\tx\nVmHWM:\t   12345 kB\nVmRSS:\t  1000 kB\n";
        assert_eq!(field_kb(status, "VmHWM:"), Some(12345));
        assert_eq!(field_kb(status, "VmSwap:"), None);
    }

    #[test]
    fn time_is_read_behind_a_name_with_brackets_and_blanks() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194304 1 2 3 4 150 50 0 0 20 0 3 0";
        assert_eq!(ticks(stat), Some(200));
        assert_eq!(ticks("42 (x) S 1"), None);
    }
}
