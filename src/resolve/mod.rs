//! resolve.

pub mod build_steps;
pub mod direct;
pub mod requirement_files;
pub mod resolution;
pub mod steps;
