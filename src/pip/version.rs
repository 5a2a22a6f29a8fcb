//! Releases of pip, and the releases from which on pip can do something.
//!
//! Must not ask a pip.

/// The release of a pip, `MAJOR.MINOR`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PipVersion(pub u32, pub u32);

/// The oldest pip with `--dry-run --report`, the way to ask for the set that it would install.
pub const OLDEST: PipVersion = PipVersion(22, 2);

/// The first pip with `pip lock`.
pub const HAS_LOCK: PipVersion = PipVersion(25, 1);

/// The first pip that takes hashes from constraints for requirements that are not pinned.
pub const HASHED_CONSTRAINTS: PipVersion = PipVersion(26, 1);

/// The first pip that compares the METADATA beside a wheel with that in the wheel.
pub const COMPARES_METADATA: PipVersion = PipVersion(26, 2);

impl PipVersion {
    /// Parses the first two numbers of a version. Returns `None` if one of them is not a number.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(|part| {
            let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            part.get(..digits)?.parse().ok()
        });
        Some(Self(parts.next()??, parts.next().unwrap_or(Some(0))?))
    }
}
