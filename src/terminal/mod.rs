//! Output for the user: the printer, the live line, and the escaping of untrusted text.

pub mod escape;
pub mod progress;
pub mod report;
