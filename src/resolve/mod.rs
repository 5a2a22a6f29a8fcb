//! Resolving: from the user's arguments to a lock.
//!
//! [`resolution`] asks pip, [`steps`] and [`build_steps`] compose its command lines,
//! [`requirement_files`] and [`direct`] read the requirements that the user named. Must not judge.

pub mod build_steps;
pub mod direct;
pub mod requirement_files;
pub mod resolution;
pub mod session;
pub mod steps;
