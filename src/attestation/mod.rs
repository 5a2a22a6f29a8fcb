//! attestation.

pub mod attestation;
pub mod claim;
pub mod document;
pub mod error;
pub mod publisher;
pub mod statement;
pub mod verifier;
