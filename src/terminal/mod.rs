//! What the user gets to read: the printer, the live line, and the escaping of what others wrote.

pub mod escape;
pub mod progress;
pub mod report;
