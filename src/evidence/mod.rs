//! evidence.

pub mod audit;
pub mod judge;
pub mod refusal;
pub mod sources;
