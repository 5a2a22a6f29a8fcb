//! The worlds that tests run in.

pub mod private_sigstore;
pub mod verdicts;
