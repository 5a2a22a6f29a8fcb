//! The real pip: which one it is, what it is told, what it answers.
//!
//! The only modules that start processes. They own everything that is known of pip's own behaviour;
//! decide nothing about what may be installed.

mod asked_about;
pub mod behind;
mod blocked;
pub mod command_line;
pub mod configuration;
pub mod find;
pub mod guard;
pub mod marker;
pub mod network;
pub mod options;
pub mod preinstall;
pub mod requirements;
pub mod resolve;
pub mod run;
pub mod scheme;
pub mod settings;
pub mod standby;
pub mod started;
pub mod target;
pub mod version;
