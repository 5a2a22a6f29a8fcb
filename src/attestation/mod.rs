//! Attestations (PEP 740): reads the provenance document of a file and verifies its publisher.
//!
//! [`document`] and [`object`] read the documents of an index, [`statement`] the signed payload,
//! and [`verifier`] is the only module that uses the Sigstore crate. Must not fetch or judge.

pub mod claim;
pub mod document;
pub mod error;
pub mod object;
pub mod publisher;
mod shape;
pub mod statement;
pub mod verifier;
