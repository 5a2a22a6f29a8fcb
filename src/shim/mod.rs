//! The shim: reads pip's command line as pip reads it, and runs installs and locks with
//! verification.
//!
//! Owns the classification of command lines and the stories of an install, a build and a lock.
//! Commands that install no code are passed unchanged to the real pip.

mod arrivals;
mod build;
mod built;
pub mod entry;
mod find_links;
pub mod install;
mod lock_file;
mod locking;
mod notes;
mod one_shot_files;
mod places;
mod pylocks;
mod refused;
mod report_file;
mod resolve_via_gateway;
mod second_step;
mod session;
mod sidecars;
mod story;
mod unknown_command;
mod unpacking;
mod unresolvable;
mod verified;

pub use entry::{is_pip_name, run};
