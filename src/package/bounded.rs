//! Bytes from elsewhere, read up to a maximum size.

use std::io::{self, Read};

/// Reads to the end. Returns `None` if there are more than `limit` bytes.
///
/// The bytes are counted while they are read, since a pipe states no size and a file may grow.
///
/// # Errors
/// Reading fails.
pub fn read(reader: impl Read, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    reader.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(u64::try_from(bytes.len()).is_ok_and(|length| length <= limit).then_some(bytes))
}
