//! Names, file names, digests and locks: the basic values of this program.
//!
//! Pure: must not access the disk or the network.

pub mod bounded;
pub mod core_metadata;
pub mod digest;
pub mod filename;
pub mod json;
pub mod lock;
pub mod name;
pub mod plain_filename;
pub mod userinfo;
