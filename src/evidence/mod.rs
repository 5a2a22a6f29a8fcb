//! Evidence: from a lock to findings, and the words of a refusal.
//!
//! [`sources`] reads the settings and sets up where documents come from, [`audit`] and [`judge`]
//! gather and judge, [`refusal`] has the words. Installs nothing.

pub mod audit;
pub mod judge;
pub mod refusal;
pub mod sources;
