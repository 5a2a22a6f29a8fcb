//! Names, file names, digests and locks: the values that everything else is about.
//!
//! Pure: reads no file and asks nobody.

pub mod digest;
pub mod filename;
pub mod json;
pub mod lock;
pub mod name;
pub mod plain_filename;
