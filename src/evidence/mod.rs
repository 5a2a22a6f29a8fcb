//! Evidence: from a lock to findings, and the words of a refusal.
//!
//! [`sources`] reads the settings and sets up the sources of documents, [`audit`] and [`judge`]
//! gather and judge, [`refusal`] has the words. Must not install anything.

pub mod audit;
pub mod judge;
pub mod refusal;
pub mod sources;
