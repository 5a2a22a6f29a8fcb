//! The worlds the tests run in: one module for each outside thing that is played here.
#![allow(dead_code, unused_imports, reason = "each theme uses its own part")]

pub mod answers;
pub mod gateway;
pub mod index;
pub mod private_sigstore;
pub mod proxy;
pub mod run;
pub mod sandbox;
pub mod served;
pub mod target;
pub mod terminal;
pub mod tls;
pub mod twin;
pub mod venv;
pub mod verdicts;
pub mod wheel;
pub mod world;
