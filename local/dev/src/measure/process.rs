//! What the system tells of a process: memory and time. Linux only; elsewhere unknown.

use std::time::Duration;

/// What the kernel counts the time of processes in, whatever its own ticks are.
const TICK: Duration = Duration::from_millis(10);

/// A process, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process(pub u32);

impl Process {
    /// This one.
    pub fn own() -> Process {
        Process(std::process::id())
    }

    /// The most memory it had since its start or since [`Process::forget_peak`], in bytes.
    pub fn peak_bytes(self) -> Option<u64> {
        field_kb(&self.read("status")?, "VmHWM:").map(|kb| kb * 1024)
    }

    /// The memory it has, in bytes.
    pub fn resident_bytes(self) -> Option<u64> {
        field_kb(&self.read("status")?, "VmRSS:").map(|kb| kb * 1024)
    }

    /// Lets the peak start again from the memory it has now. Where that is refused, the
    /// peak stays what it was.
    pub fn forget_peak(self) {
        let _ = std::fs::write(format!("/proc/{}/clear_refs", self.0), "5");
    }

    /// The processor time it used.
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

/// User and system time. The name of the program, in brackets, may hold anything.
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
