//! Attestations (PEP 740): the provenance document of a file, verified down to its publisher.
//!
//! [`document`] and [`object`] read what an index serves, [`statement`] the signed payload, and
//! [`verifier`] is the one module that names the Sigstore crate. Fetches nothing and gives no
//! verdict.

pub mod claim;
pub mod document;
pub mod error;
pub mod object;
pub mod publisher;
mod shape;
pub mod statement;
pub mod verifier;
