//! Evidence: from a lock to findings, and the words of a refusal.
//!
//! [`sources`] reads the settings and sets up the sources of documents, [`audit`] and [`judge`]
//! gather and judge, [`recheck`] has refusals judged again without cached answers, a [`finding`] is
//! the result for one file, a [`cause`] has the code of a refusal, and [`refusal`] has the words.
//! Must not install anything.

pub mod audit;
pub mod cause;
pub mod finding;
pub mod judge;
pub mod recheck;
pub mod refusal;
pub mod sources;
