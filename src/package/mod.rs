//! package.

pub mod digest;
pub mod filename;
pub mod json;
pub mod lock;
pub mod name;
pub mod plain_filename;
