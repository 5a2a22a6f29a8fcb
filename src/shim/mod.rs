//! Standing in front of pip: what the user asked pip for, read as pip reads it, and done verified.
//!
//! Owns the reading of pip's command line and the stories of an install and of a lock. Commands
//! that take no code in are handed to the real pip untouched.

mod ahead;
mod arrivals;
mod build;
pub mod entry;
mod find_links;
mod given;
pub mod install;
mod lock_file;
mod locking;
mod notes;
mod places;
mod refused;
mod report_file;
mod second_step;
mod session;
mod story;
mod unheard;
mod unpacking;
mod verified;

pub use entry::{is_pip_name, run};
